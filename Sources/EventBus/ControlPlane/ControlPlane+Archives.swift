/// Archives by API: what the engine keeps, changed in turn with buses and templates.
extension ControlPlane {
    /// Makes an archive of a bus; `bus` is its name.
    package func createArchive(
        _ name: String, bus: String, patternText: String?, retentionDays: Int, description: String?
    ) throws(ControlError) -> ArchiveDescription {
        let declaration = try ArchiveDeclaration(
            name: name, bus: bus, patternText: patternText, retentionDays: retentionDays, description: description,
            location: origin("CreateArchive"))
        return try look { (_) throws(ControlError) in try delivery.engine.createArchive(declaration) }
    }

    /// Changes what an archive by API keeps; `nil` leaves something as it is.
    package func updateArchive(
        _ name: String, patternText: String?, retentionDays: Int?, description: String?
    ) throws(ControlError) -> ArchiveDescription {
        let origin = origin("UpdateArchive")
        return try look { (_) throws(ControlError) in
            try delivery.engine.updateArchive(
                name, patternText: patternText, retentionDays: retentionDays, description: description, location: origin)
        }
    }

    package func deleteArchive(_ name: String) throws(ControlError) {
        try look { (_) throws(ControlError) in try delivery.engine.deleteArchive(name) }
    }
}
