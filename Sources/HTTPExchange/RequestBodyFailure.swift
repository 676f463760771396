/// Why the rest of a request's body does not come; what reading the body throws.
package enum RequestBodyFailure: Error, Equatable {
    /// It was not complete when its time was over.
    case tooSlow
    /// It is no body by HTTP's rules, or the peer closed inside it.
    case malformed(String)
}
