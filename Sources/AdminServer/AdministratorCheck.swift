/// Judges what somebody shows as `Authorization: Bearer`: `nil` for an administrator, else why not, without a word of what was shown.
package typealias AdministratorCheck = @Sendable ([UInt8]) -> String?
