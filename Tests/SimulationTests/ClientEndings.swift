import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore

/// What the end of a connection means for its session and its will.
extension ModelClient {
    /// The connection ended, or is given up for another one; does nothing when it has ended before.
    func connectionEnds(at now: Instant, step: Int, isTakenOver: Bool) {
        guard isOpen else { return }
        isOpen = false
        let isStillThere = isTakenOver && isConnected  // the broker closes it when it comes to the new CONNECT
        let wasEstablished = isEstablished || isLeaving
        isEstablished = false
        guard wasEstablished else {
            return outlook.failed(at: now, expirySeconds: terms.expirySeconds, isTakenOver: isStillThere)
        }
        let heard = goodbye.flatMap { $0.end <= deliveredBytes ? $0 : nil }
        var seconds = terms.expirySeconds...terms.expirySeconds
        if let other = heard?.expirySeconds {
            seconds = isStillThere ? min(other, terms.expirySeconds)...max(other, terms.expirySeconds) : other...other
        }
        outlook.ended(
            at: now, earliest: heard?.deliveredAt ?? now, expirySeconds: seconds, isTakenOver: isStillThere,
            endsByGoodbye: heard?.expirySeconds == 0 && terms.expirySeconds > 0)
        if seconds.lowerBound == 0 { chronicle.memberEnded(of: group, at: step) }
        if let will { end(will, heard, seconds, isStillThere: isStillThere, now: now, step: step) }
    }

    private func end(
        _ will: MessageName, _ heard: Goodbye?, _ seconds: ClosedRange<Int>, isStillThere: Bool, now: Instant, step: Int
    ) {
        if let heard, heard.isNormal {
            if !isStillThere { chronicle.fates[will] = .cancelled }
            if isConnected { overtakable = will }
            return
        }
        if seconds.lowerBound == 0 && seconds.upperBound > 0 { return }
        let step = heard?.step ?? step  // the broker may have known since then
        let delay = min(Int(terms.willDelaySeconds), seconds.upperBound)
        if delay == 0 && !isStillThere {
            chronicle.fates[will] = .published(after: step)
            return
        }
        if delay > 0, let heardAt = heard?.deliveredAt, heardAt < now { return }  // nobody knows when it is due
        let due = isStillThere ? nil : now.advanced(bySeconds: Double(delay))
        openWills.append(OpenWill(name: will, endedAt: now, step: step, due: due, isDelayed: delay > 0))
    }

    /// A later connection is established: what was undecided is decided now, or never.
    func resolveWills(isResumed: Bool, firstAttempt: Instant, now: Instant) {
        for will in openWills {
            let fate: Chronicle.WillFate?
            if !will.isDelayed || terms.cleanStart {
                fate = .published(after: will.step)
            } else if let due = will.due {
                if now < due {
                    fate = isResumed ? .cancelled : nil
                } else {
                    fate = firstAttempt >= due && chronicle.lastUnsettled < will.endedAt ? .published(after: will.step) : nil
                }
            } else {
                fate = isResumed ? .cancelled : nil
            }
            chronicle.fates[will.name] = fate
        }
        openWills = []
    }

    /// The session is a new one.
    func forgetSession(at step: Int) {
        chronicle.memberEnded(of: group, at: step)
        life += 1
        filters = [:]
        confirmed = [:]
        lastRequest = [:]
        ledger = DeliveryLedger()
        receivedExactlyOnce = []
        hadSizeLimit = terms.maximumPacketSize != nil
        unfinished = []
    }
}
