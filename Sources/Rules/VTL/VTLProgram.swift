/// What a template is compiled to.
///
/// Trees, no deeper than ``VTLTemplate/nestingMax``: chains of operators and branches are lists.
struct VTLProgram: Sendable {
    var statements: [VTLStatement] = []
    /// How many names occur.
    var slotCount = 0
    var needs: VTLTemplate.Needs = []
}

indirect enum VTLStatement: Sendable {
    case text(ArraySlice<UInt8>)
    /// A reference, and how many `\` stand before it.
    case reference(VTLReference, backslashes: Int)
    case set(slot: Int, VTLExpression)
    /// `#set` of the member, or the element, that the last step names.
    case setPart(VTLReference, VTLExpression)
    /// The first branch whose condition holds; `#else` has none.
    case branches([VTLBranch])
    case loop(VTLLoop)
    /// `#set` of a part of `$context.responseOverride`.
    case override(VTLOverride, VTLExpression)
    case leaveLoop
    case stop
}

struct VTLBranch: Sendable {
    let condition: VTLExpression?
    let body: [VTLStatement]
}

/// What of a response a template replaces.
enum VTLOverride: Sendable {
    case status
    /// The header of a name.
    case header(VTLExpression)
}

struct VTLLoop: Sendable {
    let slot: Int
    let elements: VTLExpression
    let body: [VTLStatement]
}

indirect enum VTLExpression: Sendable {
    case constant(VTLValue)
    /// A string in double quotes that has references or directives.
    case interpolation([VTLStatement])
    case reference(VTLReference)
    case list([VTLExpression])
    case map([(key: VTLExpression, value: VTLExpression)])
    case range(VTLExpression, VTLExpression)
    case not(VTLExpression)
    /// All, or any one of them; looked at from the left, no further than needed.
    case all([VTLExpression])
    case any([VTLExpression])
    /// Operators of one precedence, from the left.
    case chain(VTLExpression, [(operation: VTLOperator, operand: VTLExpression)])
}

enum VTLOperator: Sendable {
    case equal, unequal, less, lessOrEqual, greater, greaterOrEqual
    case add, subtract, multiply, divide, remainder
}

/// `$name.step…`, or one of the service's own objects.
struct VTLReference: Sendable {
    enum Root: Sendable {
        case variable(Int)
        case body
        /// `$input.json(path)`.
        case json(VTLPath)
        /// `$input.path(path)`.
        case path(VTLPath)
        case parameters
        /// `$input.params(name)`.
        case parameter(VTLExpression)
        case context
        case stageVariables
        case utility(VTLUtility, VTLExpression)
        /// Of the innermost loop, or of one so many around it.
        case loop(LoopProperty, parents: Int)
    }

    enum LoopProperty: String, Sendable, CaseIterable { case hasNext, count, index, first, last }

    enum Step: Sendable {
        case property(ArraySlice<UInt8>)
        case index(VTLExpression)
        case call(VTLCall)
    }

    let root: Root
    let steps: [Step]
    /// As it is written.
    let source: ArraySlice<UInt8>
}

struct VTLCall: Sendable {
    let method: VTLMethod
    let arguments: [VTLExpression]
    /// Compiled where the method takes one and it is written out.
    let expression: RegularExpression?
}

/// Where in a body to look.
enum VTLPath: Sendable {
    case constant(EventPath)
    case computed(VTLExpression)
}
