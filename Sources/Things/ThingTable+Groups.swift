package import EventBus

/// Groups of things, who is in them, and the policies that are attached to them.
extension ThingTable {
    /// A group that must be there.
    package func group(_ name: String) throws(ControlError) -> ThingGroup {
        guard let group = groups[name] else { throw ControlError(.resourceNotFound, "Thing Group \(name) not found") }
        return group
    }

    /// The groups that a group is in, the nearest first; ends, since no group gets another parent than it was made with.
    package func ancestors(of group: ThingGroup) -> [ThingGroup] {
        var found: [ThingGroup] = []
        var next = group.parent
        while let name = next, let parent = groups[name], found.count < limits.thingGroupDepthMax {
            found.append(parent)
            next = parent.parent
        }
        return found
    }

    /// The names of a group and of all below it.
    package func family(of name: String) -> Set<String> {
        Set(groups.values.filter { group in group.name == name || ancestors(of: group).contains { $0.name == name } }.map(\.name))
    }

    /// The names of the policies that are attached to a group, and to those that it is in.
    func policies(inForceFor group: ThingGroup) -> [String] {
        var seen: Set<String> = []
        return ([group] + ancestors(of: group)).flatMap(\.policies).filter { seen.insert($0).inserted }
    }

    // MARK: - Making and changing

    /// Makes a group, or answers one that is there already and just so.
    package mutating func createGroup(_ group: ThingGroup) throws(ControlError) -> ThingGroup {
        var group = group
        group.properties.attributes = group.properties.attributes.filter { !$0.value.isEmpty }
        try Thing.check(group.properties.attributes, limits, of: "group of things")
        let parent = try group.parent.map { (name) throws(ControlError) in try self.group(name) }
        if let known = groups[group.name] {
            guard known.properties == group.properties, known.parent == group.parent else {
                throw ControlError(
                    .resourceAlreadyExists, "Thing Group \(group.name) already exists in current account with different properties")
            }
            return known
        }
        guard groups.count < limits.thingGroupsMax else {
            throw ControlError(.limitExceeded, "There are thingGroupsMax (\(limits.thingGroupsMax)) groups of things already.")
        }
        if let parent {
            guard ancestors(of: parent).count + 2 <= limits.thingGroupDepthMax else {
                throw ControlError(
                    .invalidRequest,
                    "Groups of things may be thingGroupDepthMax (\(limits.thingGroupDepthMax)) deep, with the one at the root.")
            }
            guard groups.values.count(where: { $0.parent == parent.name }) < limits.thingGroupChildrenMax else {
                throw ControlError(
                    .limitExceeded, "\(parent.name) has thingGroupChildrenMax (\(limits.thingGroupChildrenMax)) groups in it already.")
            }
        }
        groups[group.name] = group
        touch(.group(group.name), rights: false)
        return group
    }

    /// Changes the description and the attributes of a group; an attribute with an empty value goes.
    ///
    /// - Parameters:
    ///   - name: the group's.
    ///   - description: nil for no change of it.
    ///   - attributes: nil for no change of them.
    ///   - merge: whether attributes that are not named stay.
    ///   - expected: the version that the group must have; nil for any.
    /// - Returns: its version now.
    /// - Throws: for a group that is not there or has another version, and for attributes that no group may have.
    package mutating func updateGroup(
        _ name: String, description: String?, attributes: [String: String]?, merge: Bool, expected: Int64?
    ) throws(ControlError) -> Int64 {
        var group = try group(name)
        try Self.check(expected, group)
        if let description { group.properties.description = description }
        if let attributes {
            let all = merge ? group.properties.attributes.merging(attributes, uniquingKeysWith: { $1 }) : attributes
            group.properties.attributes = all.filter { !$0.value.isEmpty }
            try Thing.check(group.properties.attributes, limits, of: "group of things")
        }
        guard group.version < .max else { throw ControlError(.invalidRequest, "Thing Group \(name) cannot be changed any more.") }
        group.version += 1
        groups[name] = group
        touch(.group(name), rights: false)
        return group.version
    }

    /// Deletes a group without groups in it; what is attached to it counts for nobody any more.
    ///
    /// One that is not there is no error.
    package mutating func deleteGroup(_ name: String, expected: Int64?) throws(ControlError) {
        guard let group = groups[name] else { return }
        try Self.check(expected, group)
        guard !groups.values.contains(where: { $0.parent == name }) else {
            throw ControlError(.invalidRequest, "Cannot delete thing group : \(name) when there are still child groups attached to it")
        }
        let says = !policies(inForceFor: group).isEmpty
        for thing in things.values where thing.groups.contains(name) {
            things[thing.name]?.groups.removeAll { $0 == name }
            touch(.thing(thing.name), rights: false)
        }
        groups[name] = nil
        touch(.group(name), rights: says)
    }

    private static func check(_ expected: Int64?, _ group: ThingGroup) throws(ControlError) {
        guard let expected, expected != group.version else { return }
        throw ControlError(
            .versionConflict,
            "The version for this update does not match the expected version: \(group.name) has version \(group.version).")
    }

    // MARK: - Things

    /// Puts a thing into a group; doing it twice is the same as doing it once.
    package mutating func add(_ thingName: String, toGroup name: String) throws(ControlError) {
        let group = try group(name)
        var thing = try thing(thingName)
        if thing.groups.contains(name) { return }
        let root = ancestors(of: group).last?.name ?? name
        for other in thing.groups.compactMap({ groups[$0] }) where (ancestors(of: other).last?.name ?? other.name) == root {
            throw ControlError(
                .invalidRequest,
                "Cannot add thing \(thingName) to \(name): it is in \(other.name) of the same hierarchy, and a thing may be in one group of each"
            )
        }
        guard thing.groups.count < limits.thingGroupsOfThingMax else {
            throw ControlError(
                .limitExceeded, "A thing may be in thingGroupsOfThingMax (\(limits.thingGroupsOfThingMax)) groups.")
        }
        thing.groups.append(name)
        put(thing, inGroup: group)
    }

    /// Takes a thing out of a group.
    package mutating func remove(_ thingName: String, fromGroup name: String) throws(ControlError) {
        let group = try group(name)
        var thing = try thing(thingName)
        guard thing.groups.contains(name) else { return }
        thing.groups.removeAll { $0 == name }
        put(thing, inGroup: group)
    }

    private mutating func put(_ thing: Thing, inGroup group: ThingGroup) {
        things[thing.name] = thing
        touch(.thing(thing.name), rights: !policies(inForceFor: group).isEmpty)
    }

    // MARK: - Policies

    /// Attaches a policy to a group; doing it twice is the same as doing it once.
    package mutating func attach(policy name: String, toGroup groupName: String) throws(ControlError) {
        _ = try required(policy: name)
        var group = try group(groupName)
        if group.policies.contains(name) { return }
        guard group.policies.count < limits.thingGroupPoliciesMax else {
            throw ControlError(
                .limitExceeded,
                "The maximum number of policies attached to a thing group is thingGroupPoliciesMax (\(limits.thingGroupPoliciesMax)).")
        }
        group.policies.append(name)
        groups[groupName] = group
        touch(.group(groupName), rights: true)
    }

    /// Takes that back.
    package mutating func detach(policy name: String, fromGroup groupName: String) throws(ControlError) {
        var group = try group(groupName)
        guard group.policies.contains(name) else {
            _ = try required(policy: name)
            return
        }
        group.policies.removeAll { $0 == name }
        groups[groupName] = group
        touch(.group(groupName), rights: true)
    }

    /// The groups that a policy is attached to, in the order of their names.
    package func groups(withPolicy name: String) -> [ThingGroup] {
        groups.values.filter { $0.policies.contains(name) }.sorted { $0.name < $1.name }
    }

    /// Whether a policy is attached to anything by API.
    func isAttached(policy name: String) -> Bool { !certificates(withPolicy: name).isEmpty || !groups(withPolicy: name).isEmpty }
}
