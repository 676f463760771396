/// The place of one message among those that a turn gives the store, however many sessions it waits for.
///
/// It has none before one of them keeps the message, and another one in a later turn.
final class SharedBody {
    private var turn: UInt64 = 0
    private var place = 0

    func place(in turns: CommitTurns, _ message: Message) -> Int {
        if turn != turns.turn { (turn, place) = (turns.turn, turns.body(message)) }
        return place
    }
}
