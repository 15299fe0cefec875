import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startMariadb } from '../server/test/support/mariadb-server.ts'
import { startDirect, type Bench } from './bench-targets.ts'
import { prepareHouse } from './scale-house.ts'
import { measureScale } from './scale-measure.ts'
import { formatScale, formatStatements } from './scale-report.ts'
import { explainRoutes } from './scale-statements.ts'

/**
 * Does latency depend on how much is stored? Fills one database with much and one with little, and asks the same of a server on each.
 *
 *   npm run bench:scale                          a million keys, ten million messages: some minutes and gigabytes
 *   npm run bench:scale -- --messages 100000 --conversations 1000 --keys 10000
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    messages: { type: 'string', default: '10000000' },
    conversations: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    samples: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    database: { type: 'string', default: 'sqlite' },
    home: { type: 'string' },
    'no-plans': { type: 'boolean', default: false },
  },
})

/** Enough for full pages, and little enough to be in every cache. */
const SMALL = { keys: 5_000, conversations: 200, messages: 20_000 }
const MARIADB_FLAGS = ['--innodb-buffer-pool-size=2G', '--innodb-log-file-size=512M']

async function run(home: string): Promise<void> {
  const say = (progress: string) => process.stderr.write(`${progress}\n`)
  const startLoad = loadavg()
  const model = await startDirect(home)
  await fetch(`http://127.0.0.1:${model.port}/pace`, { method: 'POST', body: JSON.stringify({ chunks: 10, intervalMs: 0 }) })
  await using mariadb = values.database === 'mariadb' ? await startMariadb(MARIADB_FLAGS) : undefined

  const sizes = { keys: Number(values.keys), conversations: Number(values.conversations), messages: Number(values.messages) }
  const benchOf = async (name: string): Promise<Bench> => {
    if (!mariadb) return { home, modelPort: model.port }
    return { home, modelPort: model.port, env: { DATABASE_URL: await mariadb.createDatabase(name), MASTER_KEY: 'scale' } }
  }
  const small = await prepareHouse({ name: 'small', bench: await benchOf('small'), sizes: SMALL, say })
  const full = await prepareHouse({ name: 'full', bench: await benchOf('full'), sizes, say })

  const [rounds, samples, seconds] = [Number(values.rounds), Number(values.samples), Number(values.seconds)]
  const figures = await measureScale({ houses: [small, full], rounds, samples, seconds, only: values.only, say })
  const loads = [startLoad, loadavg()].map((load) => load.map((each) => each.toFixed(1)).join(' '))
  process.stdout.write(`${values.database}; load average ${loads.join(', at the end ')}\n\n${formatScale({ small, full }, figures)}\n`)
  if (!values['no-plans']) process.stdout.write(`\n${formatStatements(await explainRoutes(full))}\n`)
  await model.stop()
}

const home = values.home === undefined ? mkdtempSync(join(tmpdir(), 'coze-plus-scale-')) : resolve(values.home)
mkdirSync(home, { recursive: true })
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
await run(home)
// what was asked to be in a home of its own is kept, for another measurement
if (values.home === undefined) rmSync(home, { recursive: true, force: true })
