import { GuardedFetchError } from '../../lib/guarded-fetch.ts'
import { readText } from '../../tools/tool-output.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { NodeRun, NodeType } from '../engine/node-type.ts'
import { printValue } from '../values/value.ts'
import type { ValueObject } from '../values/value.ts'
import { toHttpRequest } from './http-request.ts'
import type { HttpRequest } from './http-request.ts'
import { parseHttpSettings } from './http-settings.ts'
import type { HttpSettings } from './http-settings.ts'

/** One request to another server. Its method says little about what it does there: none is repeated after a crash. */
export const httpNode: NodeType<HttpSettings> = {
  code: '45',
  name: 'Http',
  fillsInputs: true,
  fillsOutputs: true,
  hasEffects: true,
  takesTypesOfSources: true,
  parse: parseHttpSettings,
  async run(run) {
    try {
      const request = await toHttpRequest(run.config, run.inputs, createSurroundings(run))
      return { kind: 'done', outputs: await readAnswer(await send(run, request), request) }
    } catch (cause) {
      run.signal.throwIfAborted()
      throw cause instanceof GuardedFetchError ? fail(`the request failed: ${cause.message}`, { cause }) : cause
    }
  },
}

const MAX_ANSWER_BYTES = 10_000_000
const FILE_TIMEOUT_MS = 20_000
/** All files of a request together. */
const MAX_FILE_BYTES = 20 * 1024 * 1024

const fail = (message: string, options?: ErrorOptions) => new NodeError(nodeErrors.executionFailed, message, options)

/** As often as it may until there is an answer, whatever it says: what broke off after that may have been done. */
async function send({ config, services, signal, warn }: NodeRun<HttpSettings>, { url, headers, body }: HttpRequest): Promise<Response> {
  const { method, timeoutMs, retries } = config
  // the length that the answer to a HEAD announces is that of a body which does not come
  const maxBytes = method === 'HEAD' ? Number.POSITIVE_INFINITY : MAX_ANSWER_BYTES
  for (let attempt = 1; ; attempt++) {
    try {
      return await services.fetch(url, { method, headers, body, signal, timeoutMs, maxBytes, repeatedHeaders: 'last' })
    } catch (cause) {
      if (signal.aborted || attempt > retries || !isTransportError(cause)) throw cause
      warn(`attempt ${attempt} failed: ${cause.message}`)
    }
  }
}

const isTransportError = (cause: unknown): cause is GuardedFetchError =>
  cause instanceof GuardedFetchError && ['cut', 'timeout', 'unreachable'].includes(cause.reason)

async function readAnswer(response: Response, { url }: HttpRequest): Promise<ValueObject> {
  const { status, headers } = response
  if (status >= 400) {
    const start = (await readStart(response)).trim()
    throw fail(`${new URL(url).host} answered with HTTP status ${status}${start === '' ? '' : `: ${start}`}`)
  }
  return { body: await readText(response), statusCode: status, headers: printValue(toHeaderObject(headers)) }
}

const START_BYTES = 2_000

async function readStart(response: Response): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body
  const reader = body?.getReader()
  let start = Buffer.alloc(0)
  while (reader && start.length < START_BYTES) {
    const { done, value } = await reader.read()
    if (done) break
    start = Buffer.concat([start, value])
  }
  await reader?.cancel()
  return new TextDecoder().decode(start.subarray(0, START_BYTES), { stream: true })
}

/** In the spelling that canvases expect, such as `Content-Type`. */
function toHeaderObject(headers: Headers): ValueObject {
  const spell = (name: string) => name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
  return Object.fromEntries([...headers].map(([name, value]) => [spell(name), Buffer.from(value, 'latin1').toString()]))
}

function createSurroundings({ services, signal, warn }: NodeRun<HttpSettings>) {
  let left = MAX_FILE_BYTES

  return {
    warn,
    nameOf: (url: string) => services.context.fileNames.get(url),
    async download(url: string): Promise<Uint8Array> {
      if (url === '') throw fail('a file that is to be sent has no URL')
      try {
        const response = await services.fetch(url, { signal, timeoutMs: FILE_TIMEOUT_MS, maxBytes: left })
        if (!response.ok) throw fail(`a file cannot be downloaded: ${new URL(url).host} answered with HTTP status ${response.status}`)
        const content = new Uint8Array(await response.arrayBuffer())
        left -= content.length
        return content
      } catch (cause) {
        if (!(cause instanceof GuardedFetchError)) throw cause
        const reason = cause.reason === 'too_large' ? 'the files of one request may have 20 MB together' : cause.message
        throw fail(`a file cannot be downloaded: ${reason}`, { cause })
      }
    },
  }
}
