import { sql, type RawBuilder } from 'kysely'
import { createKeySecret, lastFourOf, md5Of } from '../server/src/accounts/api-key-secret.ts'
import { createSecretHash } from '../server/src/accounts/api-keys.ts'
import type { Core } from '../server/src/core.ts'
import { dialectOf, type Db } from '../server/src/db/database.ts'
import { createLayout, PER_MS, type Cohort, type Layout, type Sizes } from './scale-layout.ts'

/** What the seed needs to be known by: from it, sizes and layout follow. */
export type Seeded = {
  now: number
  sizes: Sizes
  rounds: number
  /** Secrets of keys of all kinds of users, spread over all of them. */
  secrets: string[]
  seconds: number
}

/**
 * Fills a database in which the server has had one chat. Its rows are the pattern: the database itself copies them with other ids
 * and times, in the order of the ids, as they would have come. One user has all conversations and a tenth of the keys.
 */
export async function seedScale({ core, sizes, say }: { core: Core; sizes: Sizes; say: (progress: string) => void }): Promise<Seeded> {
  const startedAt = performance.now()
  const { db } = core
  const now = Date.now()
  const chat = await readPattern(db)
  const rounds = Math.round(sizes.messages / chat.messages.length)
  const layout = createLayout({ conversations: sizes.conversations, rounds, now })

  await prepare(db)
  const users = await seedUsers(db, sizes)
  const secrets = await seedKeys(core, { sizes, users, say })
  await seedChats(db, { layout, chat, users, say })
  await sql`drop table scale_number`.execute(db)
  if (dialectOf(db) === 'sqlite') await sql`pragma wal_checkpoint(truncate)`.execute(db)
  return { now, sizes, rounds, secrets, seconds: (performance.now() - startedAt) / 1000 }
}

/** Rows of a statement that copies. */
const COPIES = 10_000
const COPIES_PER_COMMIT = 20
const KEYS_PER_STATEMENT = 500
const SECRETS_KEPT = 6_000
const KEYS_PER_USER = 100
const KEYS_IN_USE = 200n
/** Every tenth key is the administrator's. */
const OWN_KEY_EVERY = 10

type Row = Record<string, unknown>
type Pattern = { conversation: Row; run: Row; messages: Row[]; answerAt: number }

async function readPattern(db: Db): Promise<Pattern> {
  const run = await db.selectFrom('run').selectAll().where('status', '=', 'completed').executeTakeFirstOrThrow()
  const conversation = db.selectFrom('conversation').selectAll().where('id', '=', String(run.conversation_id))
  const messages = await db.selectFrom('message').selectAll().where('run_id', '=', String(run.id)).orderBy('id').execute()
  const answerAt = messages.findIndex((message) => String(message.id) === String(run.answer_id))
  return { run, conversation: await conversation.executeTakeFirstOrThrow(), messages, answerAt }
}

async function prepare(db: Db): Promise<void> {
  if (dialectOf(db) === 'sqlite') {
    // nobody else is there: what a crash leaves is thrown away
    await sql`pragma synchronous = off`.execute(db)
    await sql`pragma cache_size = -1000000`.execute(db)
  }
  await sql`create table scale_number (n bigint not null primary key)`.execute(db)
  for (let from = 0; from < COPIES; from += 1_000) {
    const numbers = Array.from({ length: 1_000 }, (_, at) => sql`(${BigInt(from + at)})`)
    await sql`insert into scale_number (n) values ${sql.join(numbers)}`.execute(db)
  }
}

type Users = { ownerId: bigint; firstId: bigint; count: number }

/** The administrator, who is there, and others beside them. */
async function seedUsers(db: Db, { keys }: Sizes): Promise<Users> {
  const admin = await db.selectFrom('user').selectAll().orderBy('id').executeTakeFirstOrThrow()
  const count = Math.max(10, Math.floor(keys / KEYS_PER_USER))
  const firstId = BigInt(admin.id) + 1_000n
  await copyRows(db, {
    ...{ table: 'user', pattern: admin, count },
    changes: (n) => ({ id: sql`${firstId} + ${n}`, email: sql`concat('user', ${n}, '@example.com')`, role: sql`'user'` }),
  })
  return { ownerId: BigInt(admin.id), firstId, count }
}

const FIRST_KEY_ID = 1_001

async function seedKeys({ db, secrets }: Core, { sizes, users, say }: SeedPart & { sizes: Sizes }): Promise<string[]> {
  const hashOf = createSecretHash(secrets)
  const keepEvery = Math.max(1, Math.floor(sizes.keys / SECRETS_KEPT))
  const kept: string[] = []
  const toRow = (at: number) => {
    const secret = createKeySecret()
    if (at % keepEvery === 0) kept.push(secret)
    const userId = at % OWN_KEY_EVERY === 0 ? users.ownerId : users.firstId + BigInt(at % users.count)
    const createdAt = Date.now() - (sizes.keys - at)
    return {
      ...{ id: String(FIRST_KEY_ID + at), api_key: md5Of(secret), secret_hash: hashOf(secret), last_four: lastFourOf(secret) },
      ...{ name: `key ${at}`, user_id: String(userId), expired_at: 0, created_at: createdAt, updated_at: createdAt, policy: null },
    }
  }

  for (let from = 0; from < sizes.keys; from += KEYS_PER_STATEMENT * 100) {
    await db.transaction().execute(async (tx) => {
      const to = Math.min(sizes.keys, from + KEYS_PER_STATEMENT * 100)
      for (let at = from; at < to; at += KEYS_PER_STATEMENT) {
        const rows = Array.from({ length: Math.min(KEYS_PER_STATEMENT, to - at) }, (_, index) => toRow(at + index))
        await tx.insertInto('api_key').values(rows).execute()
      }
      say(`${to} of ${sizes.keys} keys`)
    })
  }
  return kept
}

type SeedPart = { users: Users; say: (progress: string) => void }

async function seedChats(db: Db, { layout, chat, say }: SeedPart & { layout: Layout; chat: Pattern }): Promise<void> {
  const all = layout.cohorts.reduce((sum, { rounds }) => sum + rounds, 0)
  let done = 0
  for (const cohort of layout.cohorts) {
    await copyRows(db, {
      ...{ table: 'conversation', pattern: chat.conversation, count: cohort.conversations },
      changes: (n) => conversationChanges(cohort, n),
    })
    for (let from = 0; from < cohort.rounds; from += COPIES * COPIES_PER_COMMIT) {
      const to = Math.min(cohort.rounds, from + COPIES * COPIES_PER_COMMIT)
      await db.transaction().execute((tx) => copyChats(tx, { cohort, chat, from, to }))
      say(`${done + to} of ${all} chats`)
    }
    done += cohort.rounds
  }
}

async function copyChats(db: Db, { cohort, chat, from, to }: { cohort: Cohort; chat: Pattern; from: number; to: number }): Promise<void> {
  for (let at = from; at < to; at += COPIES) {
    const range = { from: at, count: Math.min(COPIES, to - at) }
    await copyRows(db, { table: 'run', pattern: chat.run, ...range, changes: (n) => runChanges(cohort, { n, answerAt: chat.answerAt }) })
    for (const [place, pattern] of chat.messages.entries())
      await copyRows(db, { table: 'message', pattern, ...range, changes: (n) => messageChanges(cohort, { n, place }) })
  }
}

type Changes = Record<string, RawBuilder<unknown>>
type Copying = { table: string; pattern: Row; from?: number; count: number; changes: (n: RawBuilder<unknown>) => Changes }

/** Copies a row `count` times, in its shape: what is not in `changes` stays as it is. `n` counts from `from`. */
async function copyRows(db: Db, { table, pattern, from: first = 0, count, changes }: Copying): Promise<void> {
  const columns = Object.keys(pattern)
  for (let from = 0; from < count; from += COPIES) {
    const changed = changes(sql`(scale_number.n + ${BigInt(first + from)})`)
    const values = columns.map((column) => changed[column] ?? sql`${pattern[column]}`)
    await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
      select ${sql.join(values)} from scale_number where n < ${BigInt(Math.min(COPIES, count - from))} order by n`.execute(db)
  }
}

function conversationChanges(cohort: Cohort, n: RawBuilder<unknown>): Changes {
  const id = sql`${cohort.firstConversationId} + ${n} * ${PER_MS}`
  const time = sql`${BigInt(cohort.firstConversationMs)} + ${n}`
  return { id, section_id: sectionOf(id), end_user: endUserOf(n), created_at: time, updated_at: time }
}

function runChanges(cohort: Cohort, { n, answerAt }: { n: RawBuilder<unknown>; answerAt: number }): Changes {
  const id = runIdOf(cohort, n)
  const time = timeOf(cohort, n)
  const turn = sql`(${n} % ${BigInt(cohort.conversations)})`
  const conversationId = conversationOf(cohort, n)
  return {
    ...{ id, conversation_id: conversationId, section_id: sectionOf(conversationId), end_user: endUserOf(turn) },
    ...{ answer_id: sql`${id} + ${BigInt(answerAt + 1)}`, created_at: time, started_at: time },
    // what it takes varies, as do the keys in use
    finished_at: sql`${time} + 400 + ${n} % 977`,
    key_id: sql`${BigInt(FIRST_KEY_ID)} + ${BigInt(OWN_KEY_EVERY)} * (${n} % ${KEYS_IN_USE})`,
  }
}

function messageChanges(cohort: Cohort, { n, place }: { n: RawBuilder<unknown>; place: number }): Changes {
  const runId = runIdOf(cohort, n)
  const conversationId = conversationOf(cohort, n)
  const time = timeOf(cohort, n)
  return {
    ...{ id: sql`${runId} + ${BigInt(place + 1)}`, run_id: runId, created_at: time, updated_at: time },
    ...{ conversation_id: conversationId, section_id: sectionOf(conversationId) },
  }
}

const runIdOf = ({ firstRunId, stepMs }: Cohort, n: RawBuilder<unknown>) => sql`${firstRunId} + ${n} * ${BigInt(stepMs) * PER_MS}`
const timeOf = ({ firstRunMs, stepMs }: Cohort, n: RawBuilder<unknown>) => sql`${BigInt(firstRunMs)} + ${n} * ${BigInt(stepMs)}`
const conversationOf = ({ firstConversationId, conversations }: Cohort, n: RawBuilder<unknown>) =>
  sql`${firstConversationId} + (${n} % ${BigInt(conversations)}) * ${PER_MS}`
const sectionOf = (conversationId: RawBuilder<unknown>) => sql`${conversationId} + 1`
const endUserOf = (turn: RawBuilder<unknown>) => sql`concat('user-', ${turn} % 1000)`
