/**
 * The world of a builder's code in QuickJS, beside the language itself, and what drives it. The code never sees the driver.
 * What of the language is used later is taken now: the code may replace all of it, and then has only itself to blame.
 */
const { parse, stringify } = JSON
const { now } = Date

/** `mark` begins the texts that stand for integers of more than 53 bits. */
export function createDriver(mark, { resultChars, printedChars }) {
  const { readInteger, writeInteger } = integerTexts(mark)
  const printed = addConsole(printedChars)
  const timers = addTimers()
  let outcome

  function finish(value) {
    const text = stringify({ result: value }, writeInteger)
    outcome = text.length > resultChars ? stringify({ error: 'the result is too large: return less' }) : text
  }
  function fail(error) {
    outcome = stringify({ ...describe(error), printed: printed() })
  }

  return {
    fail,
    /** `found`: the function main, or what a module exports, or a promise of that. */
    start(found, params) {
      const run = async () => findMain(await found)({ params: params.includes(mark) ? parse(params, readInteger) : parse(params) })
      run().then(finish).catch(fail)
    },
    /** Runs a timer that is due. Milliseconds until there is more to do, -1 when main is over. */
    next() {
      if (outcome) return -1
      try {
        return timers.runNext()
      } catch (error) {
        fail(error)
        return -1
      }
    },
    outcome: () => outcome,
  }
}

function findMain(found) {
  const main = typeof found === 'function' ? found : (found?.localMain ?? found?.main ?? found?.default)
  if (typeof main !== 'function') throw 'there is no function main: the code must define async function main({ params })'
  return main
}

function addConsole(chars) {
  let printed = ''
  const print = (...values) => {
    printed = `${printed}${values.map(show).join(' ')}\n`.slice(-chars)
  }
  globalThis.console = { log: print, info: print, warn: print, error: print, debug: print }
  return () => printed
}

const show = (value) => (typeof value === 'string' ? value : (stringify(value) ?? String(value)))

function addTimers() {
  const timers = new Map()
  let lastTimer = 0
  globalThis.setTimeout = (callback, ms, ...args) => {
    timers.set(++lastTimer, { dueAt: now() + (Number(ms) || 0), run: () => callback(...args) })
    return lastTimer
  }
  globalThis.clearTimeout = (timer) => void timers.delete(timer)

  function runNext() {
    const [first] = [...timers].sort(([, one], [, other]) => one.dueAt - other.dueAt)
    if (!first) return Infinity
    const [timer, { dueAt, run }] = first
    if (dueAt > now()) return dueAt - now()
    timers.delete(timer)
    run()
    return 0
  }
  return { runNext }
}

function integerTexts(mark) {
  // or JSON.stringify would throw for them
  BigInt.prototype.toJSON = function () {
    return this.toString()
  }
  return {
    readInteger: (_name, value) => (typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value),
    writeInteger(name, value) {
      const raw = this[name]
      return typeof raw === 'bigint' ? `${mark}${raw}` : value
    },
  }
}

function describe(error) {
  // with nothing left, QuickJS throws null
  if (error === null) return { error: 'the code needs too much memory, or threw null' }
  try {
    if (!(error instanceof Error)) return { error: show(error).slice(0, 1000) }
    return { error: String(error).slice(0, 1000), line: Number(/\bmain\.js:(\d+)/.exec(error.stack)?.[1] ?? 0) }
  } catch {
    return { error: 'the code threw something that cannot be shown' }
  }
}
