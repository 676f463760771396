import BrokerCore
import Foundation

/// Spans as OTLP over HTTP has them in JSON (opentelemetry-proto, `ExportTraceServiceRequest`).
struct SpanDocument: Encodable {
    struct Value: Encodable {
        var stringValue: String
    }

    struct Attribute: Encodable {
        var key: String
        var value: Value
    }

    struct Resource: Encodable {
        var attributes: [Attribute]
    }

    struct Scope: Encodable {
        var name: String
        var version: String
    }

    struct Status: Encodable {
        var code: Int
        var message: String?
    }

    struct SpanEntry: Encodable {
        var traceId: String
        var spanId: String
        var parentSpanId: String
        var name: String
        var kind: Int
        var startTimeUnixNano: String
        var endTimeUnixNano: String
        var attributes: [Attribute]
        var status: Status?
    }

    struct ScopeSpans: Encodable {
        var scope: Scope
        var spans: [SpanEntry]
    }

    struct ResourceSpans: Encodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }

    var resourceSpans: [ResourceSpans]

    init(_ spans: [Span], version: String) {
        let entries = spans.map { span in
            SpanEntry(
                traceId: span.traceID, spanId: span.spanID, parentSpanId: span.parentID, name: span.name, kind: span.kind.rawValue,
                startTimeUnixNano: String(span.began), endTimeUnixNano: String(span.ended),
                attributes: span.attributes.map { Attribute(key: $0.0, value: Value(stringValue: $0.1)) },
                status: span.failure.map { Status(code: 2, message: $0) })
        }
        let resource = Resource(
            attributes: [("service.name", "crema"), ("service.version", version)].map {
                Attribute(key: $0.0, value: Value(stringValue: $0.1))
            })
        resourceSpans = [
            ResourceSpans(resource: resource, scopeSpans: [ScopeSpans(scope: Scope(name: "crema", version: version), spans: entries)])
        ]
    }

    var json: Data { get throws { try JSONEncoder().encode(self) } }
}
