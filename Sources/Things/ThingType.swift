package import EventBus

/// What things are alike in: a name that is given to them, and the attributes that they are looked for by.
package struct ThingType: Sendable, Equatable {
    package let name: String
    /// A UUID.
    package let id: String
    package let description: String?
    /// The names of attributes; kept and told.
    package let searchableAttributes: [String]
    /// Milliseconds since 1970.
    package let createdMilliseconds: Int64
    /// When it was deprecated, in milliseconds since 1970: no further thing gets it; nil while things may.
    package internal(set) var deprecatedMilliseconds: Int64?

    package init(
        name: String, id: String, description: String?, searchableAttributes: [String], createdMilliseconds: Int64,
        deprecatedMilliseconds: Int64? = nil
    ) {
        (self.name, self.id, self.description) = (name, id, description)
        (self.searchableAttributes, self.createdMilliseconds) = (searchableAttributes, createdMilliseconds)
        self.deprecatedMilliseconds = deprecatedMilliseconds
    }
}

/// The types of things.
extension ThingTable {
    /// A type that must be there.
    package func type(_ name: String) throws(ControlError) -> ThingType {
        guard let type = types[name] else { throw ControlError(.resourceNotFound, "ThingType \(name) not found") }
        return type
    }

    /// A type that a thing can be given.
    func usableType(_ name: String) throws(ControlError) {
        guard try type(name).deprecatedMilliseconds == nil else {
            throw ControlError(.invalidRequest, "Can not create new thing associated with deprecated thing type:\(name)")
        }
    }

    /// Makes a type, or answers one that is there already and just so.
    package mutating func createType(_ type: ThingType) throws(ControlError) -> ThingType {
        if let known = types[type.name] {
            guard known.description == type.description, known.searchableAttributes == type.searchableAttributes else {
                throw ControlError(.resourceAlreadyExists, "ThingType \(type.name) already exists in account with different properties")
            }
            return known
        }
        guard types.count < limits.thingTypesMax else {
            throw ControlError(.invalidRequest, "There are thingTypesMax (\(limits.thingTypesMax)) types of things already.")
        }
        types[type.name] = type
        touch(.type(type.name), rights: false)
        return type
    }

    /// Says that no further thing is to be of a type, or takes that back.
    package mutating func deprecateType(_ name: String, undo: Bool, now: Int64) throws(ControlError) {
        var type = try type(name)
        type.deprecatedMilliseconds = undo ? nil : type.deprecatedMilliseconds ?? now
        types[name] = type
        touch(.type(name), rights: false)
    }

    /// Deletes a type that is deprecated, and that no thing has; one that is not there is no error, as in the service.
    package mutating func deleteType(_ name: String) throws(ControlError) {
        guard let type = types[name] else { return }
        guard type.deprecatedMilliseconds != nil else {
            throw ControlError(.invalidRequest, "Cannot delete thing type : \(name) as it is not deprecated")
        }
        guard !things.values.contains(where: { $0.type == name }) else {
            throw ControlError(.invalidRequest, "Cannot delete thing type : \(name) when there are still things associated with it")
        }
        types[name] = nil
        touch(.type(name), rights: false)
    }
}
