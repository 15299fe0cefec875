import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { pino } from 'pino'
import { loadConfig } from '../server/src/config.ts'
import { openCore, type Core } from '../server/src/core.ts'
import type { BenchProcess } from './bench-process.ts'
import { applyManifest, oursEnv, seedOurs, startServe, type Bench } from './bench-targets.ts'
import { createLayout, type Layout, type Sizes } from './scale-layout.ts'
import { seedScale, type Seeded } from './scale-seed.ts'

/** A database with much or little in it, that a server can be started on. */
export type House = Seeded & {
  name: string
  dataDir: string
  bench: Bench
  /** The administrator's. */
  apiKey: string
  layout: Layout
  bytes: number
}

type HousePlan = { name: string; bench: Bench; sizes: Sizes; say: (progress: string) => void }

/** Makes it, or takes what an earlier bench has left in this home. */
export async function prepareHouse({ name, bench: shared, sizes, say }: HousePlan): Promise<House> {
  const bench = { ...shared, env: { ...shared.env, ADMIN_PASSWORD } }
  const dataDir = join(bench.home, name)
  const noted = join(bench.home, `${name}.json`)
  if (existsSync(noted)) {
    await applyManifest(bench, dataDir)
    return toHouse({ name, dataDir, bench }, parseNoted(readFileSync(noted, 'utf8')))
  }

  const { apiKey } = await seedOurs(bench, dataDir)
  await haveOneChat(bench, { dataDir, apiKey })
  const core = await openHouseCore({ bench, dataDir })
  const seeded = await seedScale({ core, sizes, say: (progress) => say(`${name}: ${progress}`) })
  const bytes = await measureBytes(core)
  await core.close()
  const note = { ...seeded, apiKey, bytes }
  writeFileSync(noted, JSON.stringify(note))
  return toHouse({ name, dataDir, bench }, note)
}

export const ADMIN = { email: 'admin@example.com', password: 'scale-bench' }
const ADMIN_PASSWORD = ADMIN.password

export const startHouse = ({ bench, name, dataDir }: House): Promise<BenchProcess> => startServe(bench, { name, dataDir })

/** The same that its server stands on, in this process. */
export function openHouseCore({ bench, dataDir }: Pick<House, 'bench' | 'dataDir'>): Promise<Core> {
  return openCore(loadConfig(oursEnv(bench, dataDir)), { logger: pino({ level: 'silent' }) })
}

type Note = Seeded & { apiKey: string; bytes: number }

const toHouse = (place: Pick<House, 'name' | 'dataDir' | 'bench'>, note: Note): House => ({
  ...place,
  ...note,
  layout: createLayout({ conversations: note.sizes.conversations, rounds: note.rounds, now: note.now }),
})

/** The pattern of all others. */
async function haveOneChat(bench: Bench, { dataDir, apiKey }: { dataDir: string; apiKey: string }): Promise<void> {
  const server = await startServe(bench, { name: 'first-chat', dataDir })
  const body = JSON.stringify({ bot_id: '123456', user_id: 'user-0', query: 'Hello, please introduce your features.', stream: true })
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${server.port}/v3/chat`, { method: 'POST', headers, body })
  const text = await answer.text()
  await server.stop()
  if (!text.includes('conversation.chat.completed')) throw new Error(`no chat to copy: ${text}`)
}

async function measureBytes({ db, config }: Core): Promise<number> {
  if (config.database.kind === 'sqlite') return statSync(config.database.path).size
  const { rows } = await sql<{ bytes: number | string }>`
    select sum(file_size) as bytes from information_schema.innodb_sys_tablespaces where name like concat(database(), '/%')`.execute(db)
  return Number(rows[0]?.bytes ?? 0)
}

// written by this bench: the cast is the parser
const parseNoted = (text: string): Note => JSON.parse(text) as Note
