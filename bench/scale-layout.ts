import { firstIdAt } from '../server/src/lib/snowflake.ts'

/** How much is stored. `messages` is what the chats are counted by: each has as many as one real chat of the server has. */
export type Sizes = { keys: number; conversations: number; messages: number }

/**
 * Where everything is in a seeded database, so that a request can name a row without asking for it first. Conversations come in
 * cohorts, one after the other in time; those of a cohort take turns. The first cohort is one very long conversation.
 */
export type Layout = {
  cohorts: Cohort[]
  /** From 0, in the order of creation. */
  conversationId: (at: number) => bigint
  run: (at: number) => { runId: bigint; conversationId: bigint; at: number }
  longConversationId: bigint
  /** The run in the middle of the long conversation. */
  middleOfLong: bigint
}

export type Cohort = {
  conversations: number
  rounds: number
  firstConversationId: bigint
  firstConversationMs: number
  firstRunId: bigint
  firstRunMs: number
  stepMs: number
}

/** Ids of one millisecond. */
export const PER_MS = 4096n

const SPAN_MS = 300 * 24 * 3_600_000
const COHORTS = 10
const LONG_ROUNDS = 50_000

/** @throws RangeError when there are fewer than ten conversations, or fewer chats than conversations. */
export function createLayout({ conversations, rounds, now }: { conversations: number; rounds: number; now: number }): Layout {
  if (conversations < COHORTS || rounds < conversations) throw new RangeError('too few conversations or messages')
  const longRounds = Math.min(LONG_ROUNDS, Math.floor(rounds / 5))
  const shares = [
    { conversations: 1, rounds: longRounds },
    ...Array.from({ length: COHORTS }, (_, at) => ({
      conversations: shareOf(conversations, at),
      rounds: shareOf(rounds - longRounds, at),
    })),
  ]
  const slotMs = Math.floor(SPAN_MS / shares.length)
  const cohorts = shares.map((share, at) => toCohort(share, { fromMs: now - SPAN_MS + at * slotMs, slotMs }))
  const [long, ...others] = cohorts
  if (!long) throw new RangeError('no cohort')
  return {
    cohorts,
    conversationId: (at) => conversationIdOf(others, at),
    run: (at) => runOf(others, at),
    longConversationId: long.firstConversationId,
    middleOfLong: long.firstRunId + BigInt(Math.floor(long.rounds / 2) * long.stepMs) * PER_MS,
  }
}

const shareOf = (all: number, at: number): number => Math.floor((all * (at + 1)) / COHORTS) - Math.floor((all * at) / COHORTS)

function toCohort({ conversations, rounds }: Pick<Cohort, 'conversations' | 'rounds'>, place: { fromMs: number; slotMs: number }): Cohort {
  // one conversation each millisecond, and then the chats
  const firstRunMs = place.fromMs + conversations + 1_000
  const stepMs = Math.floor((place.slotMs - conversations - 2_000) / rounds)
  if (stepMs < 1) throw new RangeError('too many chats for the time they are spread over')
  return {
    ...{ conversations, rounds, stepMs, firstRunMs, firstConversationMs: place.fromMs },
    firstConversationId: BigInt(firstIdAt(place.fromMs)),
    firstRunId: BigInt(firstIdAt(firstRunMs)),
  }
}

function conversationIdOf(cohorts: Cohort[], at: number): bigint {
  let left = at
  for (const cohort of cohorts) {
    if (left < cohort.conversations) return cohort.firstConversationId + BigInt(left) * PER_MS
    left -= cohort.conversations
  }
  throw new RangeError(`no conversation ${at}`)
}

function runOf(cohorts: Cohort[], at: number): ReturnType<Layout['run']> {
  let left = at
  for (const cohort of cohorts) {
    if (left < cohort.rounds)
      return {
        runId: cohort.firstRunId + BigInt(left * cohort.stepMs) * PER_MS,
        conversationId: cohort.firstConversationId + BigInt(left % cohort.conversations) * PER_MS,
        at: cohort.firstRunMs + left * cohort.stepMs,
      }
    left -= cohort.rounds
  }
  throw new RangeError(`no run ${at}`)
}
