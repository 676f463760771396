import Documents
import EventBus
import Records
import Rights
import Trust

/// What of the registry outlives the process, and how it is read again.
extension ThingTable {
    // MARK: - Writing

    /// What is to be kept of what has changed since this was asked last.
    mutating func takeChanges() -> [RecordChange] {
        takeTouched().map { key in
            guard let fields = fields(of: key) else { return .remove(key.recordKey) }
            return .put(KeptRecord(key.recordKey, fields))
        }
    }

    /// Nil for what is not there any more.
    private func fields(of key: Key) -> [UInt8]? {
        var writer = RecordWriter()
        switch key {
        case .thing(let name):
            guard let thing = things[name] else { return nil }
            // What has neither is written as it always was, for whoever goes back to an older Crema.
            let isPlain = thing.type == nil && thing.groups.isEmpty
            writer = RecordWriter(version: isPlain ? 1 : 2)
            writer.add(thing.id)
            writer.add(thing.version)
            writer.add(thing.attributes)
            if !isPlain {
                writer.add(thing.type)
                writer.add(thing.groups) { $0.add($1) }
            }
        case .group(let name):
            guard let group = groups[name] else { return nil }
            write(group, to: &writer)
        case .type(let name):
            guard let type = types[name] else { return nil }
            write(type, to: &writer)
        case .certificate(let id):
            guard let certificate = certificates[id] else { return nil }
            writer.add(certificate.certificate.der)
            writer.add(certificate.status.rawValue)
            writer.add(certificate.createdMilliseconds)
            writer.add(certificate.modifiedMilliseconds)
            writer.add(certificate.policies) { $0.add($1) }
            writer.add(certificate.things) { $0.add($1) }
        case .policy(let name):
            guard let policy = policies[name] else { return nil }
            writer.add(Int64(policy.defaultNumber))
            writer.add(Int64(policy.lastNumber))
            writer.add(policy.modifiedMilliseconds)
            writer.add(policy.versions) { writer, version in
                writer.add(Int64(version.number))
                writer.add(version.text)
                writer.add(version.createdMilliseconds)
                writer.add(version.policy.location.description)
            }
        }
        return writer.bytes
    }

    // MARK: - Reading

    /// Takes up what was kept, once, before anything else.
    ///
    /// - Returns: what is not in force, and why; it stays in the store.
    /// - Throws: for a record of another version.
    mutating func restore(_ records: [KeptRecord]) throws(UnreadableRecord) -> [String] {
        var leftOut: [String] = []
        for record in records {
            let name = String(decoding: record.key.bytes, as: UTF8.self)
            switch record.key.kind {
            case .thing:
                things[name] = try Self.thing(record, named: name)
            case .thingGroup: groups[name] = try Self.group(record, named: name)
            case .thingType: types[name] = try Self.type(record, named: name)
            case .certificate:
                switch try Self.certificate(record) {
                case .success(let certificate): certificates[name] = certificate
                case .failure(let error): leftOut.append("the certificate \(name): \(error.message)")
                }
            case .policy:
                let (policy, problems) = try Self.policy(record, named: name)
                leftOut += problems
                if let policy { policies[name] = policy }
                if policy?.inForce == nil { unreadablePolicies.insert(name) }
                if let template = template(name) {
                    leftOut.append("the policy \(name): a template declares it by now, \(template.location)")
                }
            default: continue
            }
        }
        return leftOut
    }

    private static func certificate(_ record: KeptRecord) throws(UnreadableRecord) -> Result<RegisteredCertificate, ControlError> {
        var reader = try RecordReader(record)
        let der = try reader.field()
        let status = try reader.text()
        let (created, modified) = (try reader.number(), try reader.number())
        let policies = try reader.list { (reader) throws(UnreadableRecord) in try reader.text() }
        let things = try reader.list { (reader) throws(UnreadableRecord) in try reader.text() }
        guard let status = RegisteredCertificate.Status(rawValue: status) else {
            throw reader.unreadable("it has the status \(status)")
        }
        let certificate: Certificate
        do throws(TrustError) { certificate = try Certificate(der: der) } catch {
            throw reader.unreadable("it cannot be read: \(error)")
        }
        do throws(ControlError) {
            var registered = try RegisteredCertificate(certificate, status: status, now: created)
            registered.modifiedMilliseconds = modified
            (registered.policies, registered.things) = (policies, things)
            return .success(registered)
        } catch { return .failure(error) }
    }

    /// A policy whose version in force cannot be read any more is not in force, and neither is another version in its place.
    private static func policy(
        _ record: KeptRecord, named name: String
    ) throws(UnreadableRecord) -> (RegisteredPolicy?, [String]) {
        var reader = try RecordReader(record)
        let (defaultNumber, lastNumber, modified) = (try reader.number(), try reader.number(), try reader.number())
        let kept = try reader.list { (reader) throws(UnreadableRecord) in
            (Int(clamping: try reader.number()), try reader.text(), try reader.number(), try reader.text())
        }
        var problems: [String] = []
        var versions: [RegisteredPolicy.Version] = []
        for (number, text, created, location) in kept {
            do throws(ControlError) {
                let policy = try RegisteredPolicy.read(text, named: name, at: SourceLocation(file: location), nil)
                versions.append(.init(number: number, text: text, createdMilliseconds: created, policy: policy))
            } catch {
                problems.append("version \(number) of the policy \(name): \(error.message)")
            }
        }
        guard !versions.isEmpty else { return (nil, problems) }
        let policy = RegisteredPolicy(
            name: name, versions: versions, defaultNumber: Int(clamping: defaultNumber), lastNumber: Int(clamping: lastNumber),
            modifiedMilliseconds: modified)
        return (policy, problems)
    }
}

extension ThingTable.Key {
    fileprivate var recordKey: RecordKey {
        switch self {
        case .thing(let name): RecordKey(.thing, name)
        case .certificate(let id): RecordKey(.certificate, id)
        case .policy(let name): RecordKey(.policy, name)
        case .group(let name): RecordKey(.thingGroup, name)
        case .type(let name): RecordKey(.thingType, name)
        }
    }
}
