import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pino } from 'pino'
import { createUser } from '../accounts/users.ts'
import { loadConfig } from '../config.ts'
import { openCore } from '../core.ts'
import { createUserTableHouse } from '../workflows/tables/owner-tables.ts'
import { applyManifest } from './apply-manifest.ts'
import { readManifest } from './manifest.ts'

const PEOPLE = `
databases:
  - id: 7478954112676282405
    name: people
    description: Who we know
    fields:
      - { id: 1783122026497, name: name, type: text, required: true }
      - { name: 年龄, type: integer, description: in years }
`

describe('databases of a manifest', () => {
  test('are made for their owner, and not again the second time', async () => {
    await using house = await openHouse()

    expect(await house.apply(PEOPLE)).toEqual([{ kind: 'database', id: '7478954112676282405', name: 'people', change: 'created' }])
    expect(await house.apply(PEOPLE)).toMatchObject([{ change: 'unchanged' }])
    expect(await house.apply(PEOPLE.replace('in years', 'years'))).toMatchObject([{ change: 'updated' }])
    const tables = house.open({ userId: house.userId }, { endUser: '' })
    await tables.execute('7478954112676282405', "insert into people (name, 年龄) values ('Ada', 36)", [])
    expect((await tables.execute('7478954112676282405', 'select name, 年龄 from people', [])).rows).toEqual([{ name: 'Ada', 年龄: 36 }])
  })

  test('change with the rest of the manifest, or not at all', async () => {
    await using house = await openHouse()
    await house.apply(PEOPLE)

    await expect(house.apply(`${PEOPLE.replace('people', 'persons')}\nbots: [{ name: a, model: nobody }]`)).rejects.toThrow(
      'no model named nobody',
    )
    expect(await house.apply(PEOPLE)).toMatchObject([{ name: 'people', change: 'unchanged' }])
  })

  test('say every place that is wrong', async () => {
    await using house = await openHouse()
    const problems: [string, string][] = [
      ['{ name: "a b", fields: [{ name: a, type: text }] }', 'databases.0.name: must have 1 to 64 letters, digits and _'],
      ['{ name: a, fields: [] }', 'databases.0.fields: must have at least one field'],
      ['{ name: a, fields: [{ name: "x`y", type: text }] }', 'databases.0.fields.0.name: must have 1 to 64 letters'],
      ['{ name: a, fields: [{ name: x, type: blob }] }', 'databases.0.fields.0.type: must be text, integer, float, boolean, time'],
      ['{ name: a, fields: [{ name: Id, type: text }] }', 'databases.0.fields.0.name: is a field that every database has by itself'],
      [
        '{ name: a, fields: [{ id: 102, name: x, type: text }] }',
        "databases.0.fields.0.id: must not be 102, 101, 103, 104: Coze's own fields",
      ],
      ['{ name: a, fields: [{ name: x, type: text }, { name: X, type: text }] }', 'databases.0.fields.1.name: x is there twice'],
      [
        '{ name: a, fields: [{ id: 5, name: x, type: text }, { id: "5", name: y, type: text }] }',
        'databases.0.fields.1.id: 5 is there twice',
      ],
      ['{ id: 0, name: a, fields: [{ name: x, type: text }] }', 'databases.0.id: must be a positive whole number'],
      ['{ id: 99999999999999999999, name: a, fields: [{ name: x, type: text }] }', 'databases.0.id: must be a positive whole number'],
      ['{ name: a, rows: [], fields: [{ name: x, type: text }] }', 'databases.0: Unrecognized key: "rows"'],
    ]
    for (const [database, problem] of problems) await expect(house.apply(`databases: [${database}]`), database).rejects.toThrow(problem)
    await expect(
      house.apply(
        'databases: [{ id: 1, name: a, fields: [{ name: x, type: text }] }, { id: 1, name: b, fields: [{ name: x, type: text }] }]',
      ),
    ).rejects.toThrow('databases.1.id: 1 is there twice')
  })
})

/** A data directory of its own and its one user, as `coze-plus apply` would have them. */
async function openHouse() {
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-databases-'))
  const core = await openCore(loadConfig({ DATA_DIR: dir }), { logger: pino({ level: 'silent' }) })
  const user = await createUser(core, { email: 'ada@example.com', password: 'correct horse battery' })
  const path = join(dir, 'manifest.yaml')
  return {
    userId: user.id,
    open: createUserTableHouse(core).open,
    async apply(text: string) {
      await writeFile(path, text)
      return applyManifest(core, await readManifest(path))
    },
    async [Symbol.asyncDispose]() {
      await core.close()
      await rm(dir, { recursive: true })
    },
  }
}
