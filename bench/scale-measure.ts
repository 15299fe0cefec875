import { createConnection, type Connection } from './http-connection.ts'
import { ADMIN, startHouse, type House } from './scale-house.ts'
import { scaleRoutes, type Caller, type ScaleRoute } from './scale-routes.ts'

/** Of a route, or of one moment of its answers; in milliseconds. */
export type ScaleFigure = { name: string; timesMs: Record<string, number[]> }

export type ScalePlan = {
  houses: House[]
  rounds: number
  /** Requests of a route to a house in a round. */
  samples: number
  /** No new request of them after this long. */
  seconds: number
  /** Only routes whose name has this in it. */
  only: string
  say: (progress: string) => void
}

/** Every route on every house by turns, one client, one request at a time. A wrong answer ends it. */
export async function measureScale({ houses, rounds, say, ...plan }: ScalePlan): Promise<ScaleFigure[]> {
  const doors = []
  for (const house of houses) doors.push(await openDoor(house))
  const figures = new Map<string, ScaleFigure>()
  const note = (name: string, house: string, ms: number) => {
    const figure = figures.get(name) ?? { name, timesMs: {} }
    figures.set(name, figure)
    ;(figure.timesMs[house] ??= []).push(ms)
  }
  const routes = scaleRoutes.filter(({ name }) => name.includes(plan.only))
  for (let round = 1; round <= rounds; round++) {
    for (const route of routes) {
      say(`round ${round}: ${route.name}`)
      for (const door of round % 2 ? doors : doors.toReversed()) await measureRoute(route, { door, plan, note })
    }
  }
  for (const { connection, stop } of doors) {
    connection.close()
    await stop()
  }
  return [...figures.values()]
}

type Door = { caller: Caller; connection: Connection; stop: () => Promise<void> }
type Measuring = {
  door: Door
  plan: Pick<ScalePlan, 'samples' | 'seconds'>
  note: (name: string, house: string, ms: number) => void
}

async function measureRoute(route: ScaleRoute, { door: { caller, connection }, plan, note }: Measuring): Promise<void> {
  const endAt = performance.now() + plan.seconds * 1000
  for (let at = 0; at < plan.samples && performance.now() < endAt; at++) {
    const { firstMs, totalMs } = await ask(connection, route, caller)
    if (route.isStream) note(`${route.name}: first event`, caller.name, firstMs)
    note(route.isStream ? `${route.name}: whole answer` : route.name, caller.name, totalMs)
  }
}

export async function ask(connection: Connection, route: ScaleRoute, caller: Caller): Promise<{ firstMs: number; totalMs: number }> {
  const request = route.request(caller)
  const parts: Buffer[] = []
  let firstAt: number | undefined
  const startedAt = performance.now()
  const status = await connection.send(request, (bytes) => {
    firstAt ??= performance.now()
    parts.push(bytes)
  })
  const endedAt = performance.now()
  const text = Buffer.concat(parts).toString()
  if (status !== 200 || !text.includes(route.shows)) throw new Error(`${route.name} on ${caller.name}: ${status} ${text.slice(0, 500)}`)
  return { firstMs: (firstAt ?? endedAt) - startedAt, totalMs: endedAt - startedAt }
}

async function openDoor(house: House): Promise<Door> {
  const server = await startHouse(house)
  return { caller: await callAt(house, server.port), connection: createConnection(server.port), stop: server.stop }
}

/** Signs in. */
export async function callAt(house: House, port: number): Promise<Caller> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${port}/api/console/sign-in`, { method: 'POST', headers, body: JSON.stringify(ADMIN) })
  const cookie = answer.headers
    .getSetCookie()
    .map((text) => text.split(';')[0])
    .join('; ')
  if (cookie === '') throw new Error(`nobody can sign in: ${answer.status} ${await answer.text()}`)
  let secretAt = 0
  const nextSecret = () => house.secrets[secretAt++ % house.secrets.length] ?? ''
  return { ...house, cookie, random: createRandom(), nextSecret }
}

/** A small generator of Lehmer's kind: where requests go is the same in every bench. */
function createRandom(): (below: number) => number {
  let state = 20_240_101
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}
