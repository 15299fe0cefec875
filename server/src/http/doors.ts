import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import type { HttpServer } from './http-server.ts'

/** Besides the server's own. One new connection is taken from each in a turn of the event loop. */
const MORE_DOORS = 7

export type Doors = {
  /** Lets nobody in any more; resolves when those who came in this way have gone. */
  close(): Promise<void>
}

/**
 * Opens the port with several listening sockets. libuv takes one connection from a socket in each turn of its loop, and a thousand live
 * streams make a turn long: behind one socket, whoever comes then waits for seconds. Where the system cannot share a port's
 * connections among sockets, there is one.
 *
 * @throws what `listen` of Node throws, `EADDRINUSE` above all
 */
export async function openDoors(http: HttpServer, at: { host: string; port: number }): Promise<Doors> {
  if (process.platform !== 'linux') {
    await http.listen(at)
    return { close: () => Promise.resolve() }
  }
  // sockets that share their port would open beside those of a server that has it already, and take half of its callers
  await close(await openDoor(at, () => undefined))

  const first = { ...at, reusePort: true }
  await http.listen(first)
  const address = http.server.address()
  const shared = typeof address === 'object' && address ? { ...first, port: address.port } : first
  const letIn = (server: Server) => server.on('connection', (socket) => http.server.emit('connection', socket))
  const doors = await Promise.all(Array.from({ length: MORE_DOORS }, () => openDoor(shared, letIn)))
  return { close: async () => void (await Promise.all(doors.map(close))) }
}

async function openDoor(at: { host: string; port: number; reusePort?: boolean }, prepare: (door: Server) => void): Promise<Server> {
  // as Node's server of HTTP has its own
  const door = createServer({ allowHalfOpen: true, noDelay: true })
  prepare(door)
  door.listen(at)
  await once(door, 'listening')
  return door
}

async function close(door: Server): Promise<void> {
  door.close()
  await once(door, 'close')
}
