import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { freePort } from './free-port.ts'
import { findSignatureProblem } from './s3-signature.ts'

/** A server that speaks enough S3 for objects of one bucket, and believes nobody: every request must be signed. */
export type S3Server = AsyncDisposable & {
  /** As S3Settings has them. */
  settings: { bucket: string; region: string; endpoint: string; credentials: typeof KEYS; forcePathStyle: true }
  /** By their names. */
  objects: Map<string, Buffer>
  /** Parts of uploads that are neither whole nor given up. */
  uploads: Map<string, Map<number, Buffer>>
  /** Methods and names of the errors that were answered. */
  refusals: string[]
  /** Answered in place of what was asked for, while it is set. */
  failure: { status: number; code: string } | undefined
  start(): Promise<void>
  /** Refuses connections. */
  stop(): Promise<void>
}

const KEYS = { accessKeyId: 'AKIATEST', secretAccessKey: 'a secret of nobody/with+signs=' }
const BUCKET = 'coze-plus-test'
const REGION = 'test-region-1'
const LEAST_PART_BYTES = 5 * 1024 * 1024

export async function startS3Server(): Promise<S3Server> {
  const port = await freePort()
  const server = createServer((request, response) => {
    answer(state, request, response).catch(() => response.destroy())
  })
  const start = async () => {
    server.listen({ host: '127.0.0.1', port })
    await once(server, 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  const settings = {
    bucket: BUCKET,
    region: REGION,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: KEYS,
    forcePathStyle: true,
  } as const
  const state: S3Server = {
    ...{ settings, objects: new Map(), uploads: new Map(), refusals: [], failure: undefined, start, stop },
    [Symbol.asyncDispose]: stop,
  }
  await start()
  return state
}

type Answer = { status: number; body?: string | Buffer; headers?: Record<string, string> }

async function answer(state: S3Server, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = incoming
  const body = await buffer(incoming)
  const problem = findSignatureProblem({ method, url, headers, body }, { ...KEYS, region: REGION })
  const {
    status,
    body: content,
    headers: more,
  } = problem ? refusal(403, problem) : (failureOf(state) ?? act(state, { method, url, headers, body }))
  if (status >= 400) state.refusals.push(`${method} ${/<Code>(\w+)/.exec(String(content))?.[1] ?? status}`)
  response.writeHead(status, { 'content-length': Buffer.byteLength(content ?? ''), ...more }).end(method === 'HEAD' ? undefined : content)
}

const failureOf = ({ failure }: S3Server): Answer | undefined => failure && refusal(failure.status, failure.code)
const refusal = (status: number, code: string): Answer => ({ status, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` })

type Request = { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }

function act(state: S3Server, request: Request): Answer {
  const { pathname, searchParams } = new URL(request.url, 'http://s3')
  const [bucket, ...rest] = decodeURIComponent(pathname).slice(1).split('/')
  const name = rest.join('/')
  if (bucket !== BUCKET) return refusal(404, 'NoSuchBucket')
  if (request.method === 'HEAD' && name === '') return { status: 200 }
  if (searchParams.has('uploads') || searchParams.has('uploadId')) return actOnUpload(state, { ...request, name, searchParams })

  switch (request.method) {
    case 'PUT':
      state.objects.set(name, request.body)
      return { status: 200, headers: { etag: '"whole"' } }
    case 'DELETE':
      state.objects.delete(name)
      return { status: 204 }
    case 'GET':
      return read(state.objects.get(name), request.headers.range)
    default:
      return refusal(405, 'MethodNotAllowed')
  }
}

function read(object: Buffer | undefined, range: string | undefined): Answer {
  if (!object) return refusal(404, 'NoSuchKey')
  if (range === undefined) return { status: 200, body: object }
  const [, start = '0', end = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
  return { status: 206, body: object.subarray(Number(start), Number(end) + 1) }
}

function actOnUpload(
  state: S3Server,
  { method, name, searchParams, body }: Request & { name: string; searchParams: URLSearchParams },
): Answer {
  const id = searchParams.get('uploadId') ?? ''
  if (searchParams.has('uploads')) {
    const uploadId = `upload-${name}`
    state.uploads.set(uploadId, new Map())
    return { status: 200, body: `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>` }
  }
  const parts = state.uploads.get(id)
  if (!parts) return refusal(404, 'NoSuchUpload')
  if (method === 'PUT') {
    parts.set(Number(searchParams.get('partNumber')), body)
    return { status: 200, headers: { etag: `"${searchParams.get('partNumber') ?? ''}"` } }
  }
  if (method === 'POST') return complete(state, { id, name, parts })
  state.uploads.delete(id)
  return { status: 204 }
}

function complete(state: S3Server, { id, name, parts }: { id: string; name: string; parts: Map<number, Buffer> }): Answer {
  const ordered = [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part)
  if (ordered.slice(0, -1).some((part) => part.length < LEAST_PART_BYTES)) return refusal(400, 'EntityTooSmall')
  state.objects.set(name, Buffer.concat(ordered))
  state.uploads.delete(id)
  return { status: 200, body: `<CompleteMultipartUploadResult><Key>${name}</Key><ETag>"all"</ETag></CompleteMultipartUploadResult>` }
}
