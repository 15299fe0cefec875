import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import type { Binding } from '../../src/workflows/engine/graph.ts'
import type { RunContext } from '../../src/workflows/engine/node-services.ts'
import { httpNode } from '../../src/workflows/nodes/http-node.ts'
import { readPath } from '../../src/workflows/values/read-path.ts'
import { fieldOf } from '../../src/workflows/values/value.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { runNode } from './node-run.ts'

/** 127.0.0.1 stands for the public network, 127.0.0.2 and `*.inside.example` for what must stay out of reach. */
const fetchPublic = createGuardedFetch({
  allowedCidrs: ['127.0.0.1/32'],
  resolveHost: (name) => Promise.resolve([{ address: name.endsWith('.inside.example') ? '10.0.0.7' : '127.0.0.1', family: 4 }]),
})

export const literal = (content: unknown, type = 'string', more = {}) => ({ type, ...more, value: { type: 'literal', content } })

export const ref = (name: string, { blockID = '100001', ...more }: { blockID?: string; assistType?: number } = {}) => ({
  ...{ type: 'string', ...more },
  value: { type: 'ref', content: { source: 'block-output', blockID, name } },
})

export const row = (name: string, input: object) => ({ name, input })

/** `data.inputs` of an HTTP node, with `apiInfo` in two words. */
export type HttpNodeInputs = { url: string; method?: string; [more: string]: unknown }

const toInputs = ({ url, method = 'GET', ...more }: HttpNodeInputs) => ({ apiInfo: { url, method }, ...more })

export const planHttpNode = (wanted: HttpNodeInputs) =>
  httpNode.parse({ ...{ id: '7', type: '45', title: '', description: '', outputs: [], blocks: [], edges: [] }, inputs: toInputs(wanted) })

/** `sources`: the outputs of other nodes by their ids. */
export type HttpNodeWorld = { sources?: ValueObject; variables?: ValueObject; fileNames?: [string, string][]; signal?: AbortSignal }

/** Runs the node as the engine would, with its inputs from their sources. */
export async function runHttpNode(wanted: HttpNodeInputs, { sources = {}, variables = {}, fileNames = [], signal }: HttpNodeWorld = {}) {
  const resolve = ({ source }: Binding) => {
    if (source.from === 'literal') return source.value
    if (source.from === 'variable') return readPath(variables, source.path, { drills: true })
    return source.from === 'node' ? readPath(fieldOf(sources, source.nodeId), source.path, { drills: true }) : undefined
  }
  const inputs = Object.fromEntries(planHttpNode(wanted).inputs.map((binding) => [binding.name, resolve(binding) ?? null]))
  const context: RunContext = {
    ...{ who: { userId: '1' }, runId: '1', workflowId: '1', endUser: '', isChatflow: false },
    fileNames: new Map(fileNames),
  }
  const services = { fetch: fetchPublic, context }
  const { result, report } = await runNode(httpNode, { inputs: toInputs(wanted) }, { inputs, services, signal })
  return { outputs: result.kind === 'done' ? result.outputs : {}, warnings: report.warnings }
}

/** A server that keeps the bytes of all bodies as they come. */
export async function startByteReceiver() {
  const received: Buffer[] = []
  async function receive(request: IncomingMessage, response: ServerResponse) {
    for await (const chunk of request) received.push(Buffer.from(chunk))
    response.end(String(request.headers['content-type']))
  }
  const server = createServer((request, response) => void receive(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    ...{ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, bytes: () => Buffer.concat(received) },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
