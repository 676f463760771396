import Documents

/// A bus as the API describes it.
package struct BusDescription: Sendable, Equatable {
    package let name: String
    package let arn: String
    package let details: ResourceDetails
    /// The JSON of what PutPermission said; nil for nothing.
    package let policy: [UInt8]?
    /// Milliseconds since 1970; of a template's bus, when the template was read.
    package let createdMilliseconds: Int64
    package let modifiedMilliseconds: Int64

    init(_ bus: BusDeclaration, _ registry: borrowing ResourceRegistry) {
        name = bus.name
        policy = registry.policies[bus.name]?.json
        arn = bus.arn
        details = bus.details
        createdMilliseconds = bus.createdMilliseconds ?? registry.loadedMilliseconds
        modifiedMilliseconds = bus.modifiedMilliseconds ?? createdMilliseconds
    }
}

extension ControlPlane {
    /// Makes a bus; the name has nothing in it that the service would not take.
    package func createBus(_ name: String, _ details: ResourceDetails) throws(ControlError) -> BusDescription {
        let now = now
        let bus = BusDeclaration(
            name: name, details: details, location: origin("CreateEventBus"), createdMilliseconds: now, modifiedMilliseconds: now)
        return try change { (registry) throws(ControlError) in
            guard registry.bus(name) == nil else { throw ControlError(.resourceAlreadyExists, "Event bus \(name) already exists.") }
            guard registry.allBuses.count < limits.busesMax else { throw .tooMany }
            registry.put(bus)
            return BusDescription(bus, registry)
        }
    }

    /// Changes what is said of a bus.
    package func updateBus(_ name: String, description: String?) throws(ControlError) -> BusDescription {
        let now = now
        return try change { (registry) throws(ControlError) in
            try registry.requireBus(name)
            var bus = try Self.changeable(name, registry)
            bus.details.description = description
            bus.modifiedMilliseconds = now
            registry.put(bus)
            return BusDescription(bus, registry)
        }
    }

    /// Deletes a bus that has no rules and no archives: the service keeps a rule of its own for each archive.
    package func deleteBus(_ name: String) throws(ControlError) {
        guard name != ResourceSet.defaultBusName else { throw ControlError(.validation, "Cannot delete event bus default.") }
        try change { (registry) throws(ControlError) in
            guard registry.bus(name) != nil else { return }
            _ = try Self.changeable(name, registry)
            guard registry.rules(onBus: name).isEmpty else {
                throw ControlError(.validation, "Event bus can't be deleted since it has rules.")
            }
            let archives = delivery.engine.archives().filter { $0.declaration.bus == name }.map(\.declaration.name)
            guard archives.isEmpty else {
                throw ControlError(.validation, "Event bus can't be deleted since it has archives: \(archives.joined(separator: ", ")).")
            }
            registry.remove(bus: name)
            registry.notes.removeLeftOut(ofBus: name)
            registry.put(nil, ofBus: name)
        }
    }

    /// The bus of a name or an ARN.
    package func bus(_ reference: String) throws(ControlError) -> BusDescription {
        let name = EventBusReader.name(inReference: reference)
        return try look { (registry) throws(ControlError) in
            guard let bus = registry.bus(name) else { throw .noBus(name) }
            return BusDescription(bus, registry)
        }
    }

    /// All buses whose names begin so, in the order of their names.
    package func buses(withPrefix prefix: String) throws(ControlError) -> [BusDescription] {
        try look { (registry) in
            registry.allBuses.filter { $0.name.hasPrefix(prefix) }
                .map { BusDescription($0, registry) }
                .sorted { $0.name < $1.name }
        }
    }

    /// A bus that is there, and is the built-in one or came by API.
    static func changeable(_ name: String, _ registry: ResourceRegistry) throws(ControlError) -> BusDeclaration {
        guard var bus = registry.bus(name) else { throw .noBus(name) }
        guard registry.isOfTemplate(bus: name) else { return bus }
        guard name != ResourceSet.defaultBusName else {
            // So that a restart changes nothing about it.
            bus.createdMilliseconds = bus.createdMilliseconds ?? registry.loadedMilliseconds
            return bus
        }
        throw .ofTemplate("Event bus \(name)", at: bus.location, .validation)
    }
}
