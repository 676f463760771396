import AdminServer
import ArgumentParser
import Foundation
import NIOHTTP1

/// `crema publish TOPIC PAYLOAD`: a message by hand.
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publish a message, as the broker itself does.",
        discussion: "For a test from the broker's side, without a client's rights. The broker's log has who did it, not the payload.")

    @Argument(help: "The topic, without wildcards; none that begins with $.")
    var topic: String

    @Argument(help: "The payload as text, or - for the bytes of the standard input.")
    var payload: String

    @Option(help: "0, 1 or 2.")
    var qos = 0

    @Flag(help: "Retain the message.")
    var retain = false

    @OptionGroup var options: InspectionOptions

    func validate() throws {
        if !(0...2).contains(qos) { throw ValidationError("--qos must be 0, 1 or 2") }
    }

    func run() async throws {
        let document: PublishDocument
        if payload == "-" {
            let bytes = FileHandle.standardInput.readDataToEndOfFile()
            document = PublishDocument(topic: topic, payload: bytes.base64EncodedString(), encoding: .base64, qos: qos, retain: retain)
        } else {
            document = PublishDocument(topic: topic, payload: payload, qos: qos, retain: retain)
        }
        try await InspectionClient.run(options) { client in
            let bytes = try await client.change(.POST, "publish", body: document)
            if options.json { try TerminalOutput.standard.write(line: TerminalText.escaped(json: bytes)) }
        }
    }
}
