import Records

/// How things, their groups and their types are kept.
extension ThingTable {
    func write(_ group: ThingGroup, to writer: inout RecordWriter) {
        writer.add(group.id)
        writer.add(group.parent)
        writer.add(group.properties.description)
        writer.add(group.properties.attributes)
        writer.add(group.version)
        writer.add(group.createdMilliseconds)
        writer.add(group.policies) { $0.add($1) }
    }

    func write(_ type: ThingType, to writer: inout RecordWriter) {
        writer.add(type.id)
        writer.add(type.description)
        writer.add(type.searchableAttributes) { $0.add($1) }
        writer.add(type.createdMilliseconds)
        writer.add(type.deprecatedMilliseconds) { $0.add($1) }
    }

    static func thing(_ record: KeptRecord, named name: String) throws(UnreadableRecord) -> Thing {
        var reader = try RecordReader(record, upTo: 2)
        var thing = Thing(name: name, id: try reader.text())
        thing.version = try reader.number()
        thing.attributes = try reader.texts()
        guard reader.version > 1 else { return thing }
        thing.type = try reader.optionalText()
        thing.groups = try reader.list { (reader) throws(UnreadableRecord) in try reader.text() }
        return thing
    }

    static func group(_ record: KeptRecord, named name: String) throws(UnreadableRecord) -> ThingGroup {
        var reader = try RecordReader(record)
        let (id, parent) = (try reader.text(), try reader.optionalText())
        let properties = ThingGroup.Properties(description: try reader.optionalText(), attributes: try reader.texts())
        let (version, created) = (try reader.number(), try reader.number())
        var group = ThingGroup(name: name, id: id, parent: parent, properties: properties, createdMilliseconds: created)
        group.version = version
        group.policies = try reader.list { (reader) throws(UnreadableRecord) in try reader.text() }
        return group
    }

    static func type(_ record: KeptRecord, named name: String) throws(UnreadableRecord) -> ThingType {
        var reader = try RecordReader(record)
        return ThingType(
            name: name, id: try reader.text(), description: try reader.optionalText(),
            searchableAttributes: try reader.list { (reader) throws(UnreadableRecord) in try reader.text() },
            createdMilliseconds: try reader.number(), deprecatedMilliseconds: try reader.optionalNumber())
    }
}
