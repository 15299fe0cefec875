import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { linkAbort, untilAborted } from './linked-abort.ts'

const reason = new Error('enough')

test('a linked controller aborts with its signal, until it is released, and never the other way', () => {
  const outer = new AbortController()
  const [linked, released] = [linkAbort(outer.signal), linkAbort(outer.signal)]
  released.release()
  const alone = linkAbort(outer.signal)
  alone.control.abort()
  expect(outer.signal.aborted).toBe(false)

  outer.abort(reason)
  expect([linked.control.signal.reason, released.control.signal.aborted]).toEqual([reason, false])
  expect(linkAbort(outer.signal).control.signal.reason).toBe(reason)
  expect(linkAbort(undefined).control.signal.aborted).toBe(false)
})

test('a promise is waited for until the signal aborts, and leaves nothing on it', async () => {
  const control = new AbortController()
  expect(await untilAborted(Promise.resolve(5), control.signal)).toBe(5)
  await expect(untilAborted(Promise.reject(reason), control.signal)).rejects.toBe(reason)
  expect(getEventListeners(control.signal, 'abort')).toEqual([])

  const waiting = untilAborted(new Promise(() => undefined), control.signal)
  control.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(untilAborted(Promise.resolve(5).finally(), AbortSignal.abort(reason))).rejects.toBe(reason)
})

test('a promise that fails after that is nobody’s error', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  await expect(untilAborted(promise, AbortSignal.abort(reason))).rejects.toBe(reason)
  reject(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
})
