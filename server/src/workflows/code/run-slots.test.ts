import { expect, test } from 'vitest'
import { createSlots } from './run-slots.ts'

const never = new AbortController().signal

test('no more run at a time than there are slots, and the others follow in their order', async () => {
  const slots = createSlots(2)
  const started: number[] = []
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<undefined>())
  const runs = gates.map((gate, index) =>
    slots.use(never, async () => {
      started.push(index)
      await gate.promise
    }),
  )

  await expect.poll(() => started).toEqual([0, 1])
  gates[1]?.resolve(undefined)
  await expect.poll(() => started).toEqual([0, 1, 2])

  for (const gate of gates) gate.resolve(undefined)
  await Promise.all(runs)
  expect(started).toEqual([0, 1, 2, 3])
})

test('who gives up while waiting takes nobody’s turn, and a run that fails gives its slot back', async () => {
  const slots = createSlots(1)
  const gate = Promise.withResolvers<undefined>()
  const first = slots.use(never, () => gate.promise)
  const impatient = new AbortController()
  const second = slots.use(impatient.signal, async () => 'second')
  const third = slots.use(never, async () => 'third')

  impatient.abort(new Error('no more patience'))
  await expect(second).rejects.toThrow('no more patience')
  await expect(slots.use(impatient.signal, async () => 'late')).rejects.toThrow('no more patience')

  gate.reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  expect(await third).toBe('third')
})

test('a turn that comes in the moment of giving up goes to the next', async () => {
  const slots = createSlots(1)
  const gate = Promise.withResolvers<undefined>()
  const first = slots.use(never, () => gate.promise)
  const impatient = new AbortController()
  const second = slots.use(impatient.signal, async () => 'second').catch(() => 'gave up')
  const third = slots.use(never, async () => 'third')

  gate.resolve(undefined)
  await first
  impatient.abort()
  await second
  expect(await third).toBe('third')
  expect(await slots.use(never, async () => 'free again')).toBe('free again')
})
