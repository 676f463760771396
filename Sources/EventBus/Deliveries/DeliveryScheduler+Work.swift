/// What a scheduler says.
extension DeliveryScheduler {
    struct Attempt {
        let id: DeliveryID
        let item: Item
        let isRetry: Bool
    }

    /// A delivery that is not tried any more.
    struct Ending {
        let item: Item
        let failure: DeliveryFailure
        let retries: Int
        /// `nil` where trying again was of no use.
        let exhaustion: RetryExhaustion?
    }

    enum Verdict {
        case delivered(Item)
        /// It will be tried again.
        case waiting(Item)
        case ended(Ending)
        /// It was given up before.
        case unknown
    }

    struct Work {
        var attempts: [Attempt] = []
        var endings: [Ending] = []
    }
}
