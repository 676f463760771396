/// A value that few have: it takes one word where there is none, and a place of its own where there is.
///
/// For what stands in every connection or session and is set in hardly any.
@propertyWrapper package struct Rare<Value> {
    private final class Box {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    private var box: Box?

    package init(wrappedValue: Value?) { box = wrappedValue.map(Box.init) }

    package var wrappedValue: Value? {
        get { box?.value }
        set { box = newValue.map(Box.init) }
    }
}
