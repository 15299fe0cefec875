import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ADA, BOB, openChatHouse, sayAndWait } from '../../test/support/chat-house.ts'
import { testDatabases } from '../../test/support/test-databases.ts'
import { findRun } from './run-store.ts'
import { cancelRun, getRun, getRunMessages } from './runs.ts'

const NOT_FOUND = expect.objectContaining({ code: 'not_found', message: 'chat not found' })
const CANNOT_CANCEL = expect.objectContaining({ code: 'cannot_cancel' })

describe.each(testDatabases())('a chat and who may see it on $name', ({ open }) => {
  test('its owner, by the conversation’s id or by the one of the owner’s choice', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const { run } = await (await house.ask('hi', { conversationId: 'conv_1' })).finished

    for (const conversationId of [run.conversationId, 'conv_1'])
      expect(await getRun(house.deps, ADA, { runId: run.id, conversationId })).toEqual(run)
    const messages = await getRunMessages(house.deps, ADA, { runId: run.id, conversationId: 'conv_1' })
    expect(messages.map(({ type, content }) => [type, content])).toEqual([['answer', 'ok']])
  })

  test('nobody else, and nobody in another conversation', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const one = await (await house.ask('hi', { conversationId: 'conv_1' })).finished
    const other = await (await house.ask('hi', { conversationId: 'conv_2' })).finished
    const address = { runId: one.run.id, conversationId: one.run.conversationId }

    await expect(getRun(house.deps, BOB, address)).rejects.toEqual(NOT_FOUND)
    await expect(getRunMessages(house.deps, BOB, address)).rejects.toEqual(NOT_FOUND)
    await expect(cancelRun(house.deps, BOB, address)).rejects.toEqual(NOT_FOUND)
    for (const conversationId of [other.run.conversationId, 'conv_2', 'conv_3', '404'])
      await expect(getRun(house.deps, ADA, { ...address, conversationId })).rejects.toEqual(NOT_FOUND)
    await expect(getRun(house.deps, ADA, { ...address, runId: '404' })).rejects.toEqual(NOT_FOUND)
  })
})

describe.each(testDatabases())('canceling on $name', ({ open }) => {
  test('ends a running chat and answers when that is stored', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('half')
    const { run } = await house.ask('hi')
    const address = { runId: run.id, conversationId: run.conversationId }
    await sleep(5)
    const canceled = await cancelRun(house.deps, ADA, address)

    expect(canceled).toMatchObject({ status: 'canceled', finishedAt: house.time.now })
    expect((await getRunMessages(house.deps, ADA, address)).map(({ content }) => content)).toEqual(['half'])
    await expect(cancelRun(house.deps, ADA, address)).rejects.toEqual(CANNOT_CANCEL)
  })

  test('of two at once one cancels it, and the other finds it canceled or is told that it is', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    house.model.script = sayAndWait('half')
    const { run } = await house.ask('hi')
    const address = { runId: run.id, conversationId: run.conversationId }
    const both = await Promise.allSettled([cancelRun(house.deps, ADA, address), cancelRun(house.deps, ADA, address)])

    const outcomes = both.map((each) => (each.status === 'fulfilled' ? each.value.status : String(each.reason)))
    expect(outcomes).toContain('canceled')
    // the second may read the chat after the first one's end was stored: then there is nothing left to cancel
    for (const outcome of outcomes) expect(['canceled', 'AppError: the chat cannot be canceled: it is canceled']).toContain(outcome)
    expect(await findRun(db, run.id)).toMatchObject({ status: 'canceled' })
  })

  test('a chat that has ended cannot be canceled and stays as it is', async () => {
    await using db = await open()
    const house = await openChatHouse(db)
    const { run } = await (await house.ask('hi')).finished
    const address = { runId: run.id, conversationId: run.conversationId }

    await expect(cancelRun(house.deps, ADA, address)).rejects.toEqual(CANNOT_CANCEL)
    expect(await getRun(house.deps, ADA, address)).toEqual(run)
  })

  test('a chat whose server does not answer is not canceled yet: the caller may look again', async () => {
    await using db = await open()
    const [here, there] = [await openChatHouse(db), await openChatHouse(db, { workerId: 2 })]
    there.model.script = sayAndWait('half')
    const { run, finished } = await there.ask('hi')
    const address = { runId: run.id, conversationId: run.conversationId }
    await expect(cancelRun(here.deps, ADA, address)).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }))
    expect(await getRun(here.deps, ADA, address)).toMatchObject({ status: 'in_progress' })

    // it has only been slow
    there.deps.stops.start()
    expect(await finished).toMatchObject({ run: { status: 'canceled' } })
    await there.deps.stops.close()
  })
})
