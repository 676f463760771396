/// Files by the paths that browsers ask for them by.
///
/// A path that ends with `/` means its `index.html`. A path is compared as it was sent: nothing is decoded, and no path leads anywhere
/// but to a file that was put in.
package struct PageTable: Sendable {
    private let files: [String: PageFile]

    /// - Parameter files: by their paths, each beginning with `/`.
    package init(_ files: [String: PageFile] = [:]) {
        self.files = files
    }

    package var isEmpty: Bool { files.isEmpty }

    /// The file for a path without a query; `nil` where there is none.
    package func file(at path: Substring) -> PageFile? {
        files[path.hasSuffix("/") ? "\(path)index.html" : String(path)]
    }

    /// Whether a file of this name can be asked for: no hidden one, and none whose name a URL would have to encode.
    package static func takes(name: String) -> Bool {
        name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
