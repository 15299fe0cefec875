import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { findEndUserVariables, listEndUserVariables, saveEndUserVariables } from './end-user-variable-store.ts'

const ADA = { ownerId: '1', holder: 'bot', holderId: '7351234567890123459', endUser: 'ada' } as const
const BOT = { ownerId: '1', botId: ADA.holderId }

describe.each(testDatabases())('stored variables on $name', ({ open }) => {
  test('a value that is replaced keeps the time of the first', async () => {
    await using db = await open()
    await saveEndUserVariables(db, ADA, { values: new Map([['city', 'Paris']]), now: 1_000 })
    await saveEndUserVariables(db, ADA, {
      values: new Map([
        ['city', 'Rome 🚀'],
        ['tone', ''],
      ]),
      now: 2_000,
    })

    expect(await listEndUserVariables(db, ADA)).toEqual([
      { name: 'city', value: 'Rome 🚀', createdAt: 1_000, updatedAt: 2_000 },
      { name: 'tone', value: '', createdAt: 2_000, updatedAt: 2_000 },
    ])
    expect(await findEndUserVariables(db, { ...BOT, endUser: 'ada' })).toEqual({ city: 'Rome 🚀', tone: '' })
  })

  test('names and end users are told apart to the letter, owners and apps too', async () => {
    await using db = await open()
    await saveEndUserVariables(db, ADA, {
      values: new Map([
        ['city', 'Paris'],
        ['City', 'Rome'],
      ]),
      now: 1,
    })

    expect(await findEndUserVariables(db, { ...BOT, endUser: 'ada' })).toEqual({ City: 'Rome', city: 'Paris' })
    for (const endUser of ['ADA', 'ada ', 'adá', ' ada', ''])
      expect(await findEndUserVariables(db, { ...BOT, endUser }), endUser).toEqual({})
    expect(await findEndUserVariables(db, { ...BOT, ownerId: '2', endUser: 'ada' })).toEqual({})
    expect(await listEndUserVariables(db, { ...ADA, holder: 'app' })).toEqual([])
    expect(await listEndUserVariables(db, { ...ADA, holderId: '7351234567890123458' })).toEqual([])
  })
})
