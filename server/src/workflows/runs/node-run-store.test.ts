import { describe, expect, test } from 'vitest'
import { drawCanvas, ref } from '../../../test/support/canvas-builder.ts'
import { testDatabases } from '../../../test/support/test-databases.ts'
import { asking } from '../../../test/support/workflow-app.ts'
import { openWorkflowRunHouse } from '../../../test/support/workflow-run-house.ts'
import { deleteNodeRunsBelow, listNodeRuns } from './node-run-store.ts'

const repeating = () =>
  drawCanvas()
    .entry({ word: 'string' })
    .exit({ word: ref('entry.word') })
    .edges('entry > exit')
    .build()

describe.each(testDatabases())('records of nodes on $name', ({ open }) => {
  test('of runs that are over go when they are old, the oldest first; a run that waits keeps its own', async () => {
    await using db = await open()
    const house = openWorkflowRunHouse(db)
    const waiting = await house.run(await house.store(asking()), { parameters: { USER_INPUT: 'trip' } })
    const id = await house.store(repeating())
    const runs = [await house.run(id), await house.run(id), await house.run(id)]
    const counts = () => Promise.all([waiting, ...runs].map(async (run) => (await listNodeRuns(db, run.id)).length))
    expect(await counts()).toEqual([2, 2, 2, 2])

    const beforeLast = runs[2]?.id ?? ''
    expect(await deleteNodeRunsBelow(db, beforeLast, 1)).toBe(1)
    expect(await counts()).toEqual([2, 0, 2, 2])
    expect(await deleteNodeRunsBelow(db, beforeLast, 10)).toBe(1)
    expect(await counts()).toEqual([2, 0, 0, 2])
    expect(await deleteNodeRunsBelow(db, beforeLast, 10)).toBe(0)

    const asked = await house.answer(waiting, 'Rome')
    expect(asked.waiting[0]?.nodeTitle).toBe('distance')
  })
})
