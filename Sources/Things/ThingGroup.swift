/// A static group of things: what is attached to it counts for the things in it and in the groups below it.
package struct ThingGroup: Sendable, Equatable {
    /// What calls say of it.
    package struct Properties: Sendable, Equatable {
        package var description: String?
        package var attributes: [String: String]

        package init(description: String? = nil, attributes: [String: String] = [:]) {
            (self.description, self.attributes) = (description, attributes)
        }
    }

    package let name: String
    /// A UUID.
    package let id: String
    /// The group that it is in, for good; nil for one at the root.
    package let parent: String?
    package internal(set) var properties: Properties
    /// Counts the changes, from 1.
    package internal(set) var version: Int64 = 1
    /// Milliseconds since 1970.
    package let createdMilliseconds: Int64
    /// The names of policies, in the order in which they were attached.
    package internal(set) var policies: [String] = []

    package init(name: String, id: String, parent: String?, properties: Properties, createdMilliseconds: Int64) {
        (self.name, self.id, self.parent) = (name, id, parent)
        (self.properties, self.createdMilliseconds) = (properties, createdMilliseconds)
    }
}
