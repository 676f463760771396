package import EventBus
import Glibc

/// The system's way to find a host's addresses.
package enum SystemResolver {
    /// Blocks its thread for as long as the system's name servers take.
    ///
    /// - Returns: the addresses, in the order in which they are to be tried; none if the host has none.
    @Sendable package static func addresses(of host: String) -> [InternetAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [InternetAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let address = unsafe address(of: current.pointee), !addresses.contains(address) { addresses.append(address) }
            unsafe entry = current.pointee.ai_next
        }
        return addresses
    }

    /// Reads from the system's form of an address.
    ///
    /// It is two bytes of family, two of port, then four of IPv4; or four of flow, then sixteen of IPv6.
    private static func address(of entry: addrinfo) -> InternetAddress? {
        let place: (offset: Int, count: Int)
        switch unsafe entry.ai_family {
        case AF_INET: place = (4, 4)
        case AF_INET6: place = (8, 16)
        default: return nil
        }
        guard let pointer = unsafe entry.ai_addr, unsafe Int(entry.ai_addrlen) >= place.offset + place.count else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(pointer) + place.offset, count: place.count)
        return unsafe InternetAddress(bytes: Array(bytes))
    }
}
