import BrokerCore
import HTTPTypes

extension TraceParent {
    /// Where a request says that it comes from: by the standard's header, else by that of AWS X-Ray.
    ///
    /// `nil` for a request with several of one, or with what is none.
    init?(_ headers: HTTPFields) {
        let shown = headers[values: .traceParent]
        let xRay = headers[values: .xRayTrace]
        if shown.count == 1 {
            self.init(shown[0].utf8)
        } else if shown.isEmpty, xRay.count == 1 {
            self.init(xRay: xRay[0])
        } else {
            return nil
        }
    }
}
