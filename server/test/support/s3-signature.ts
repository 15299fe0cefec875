import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** AWS Signature Version 4, as a server checks it: computed here from what was sent, by the published description and nobody's library. */
export type SignedRequest = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer }
export type S3Keys = { accessKeyId: string; secretAccessKey: string; region: string }

const CLOCK_SKEW_MS = 15 * 60_000

/** What is wrong with the signature, by S3's name for it; undefined when nothing is. */
export function findSignatureProblem(request: SignedRequest, keys: S3Keys): string | undefined {
  const signed = parseAuthorization(request.headers)
  return findScopeProblem(signed, keys) ?? findPayloadProblem(signed.payload, request.body) ?? findWrongSignature(request, signed, keys)
}

type Signed = { keyId: string; day: string; scope: string; signedHeaders: string; signature: string; time: string; payload: string }

function parseAuthorization(headers: IncomingHttpHeaders): Signed {
  const form = /^AWS4-HMAC-SHA256 Credential=([^,/]+)\/(\d{8})\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
  const [, keyId = '', day = '', scope = '', signedHeaders = '', signature = ''] = form.exec(headers.authorization ?? '') ?? []
  const [time, payload] = [String(headers['x-amz-date']), String(headers['x-amz-content-sha256'])]
  return { keyId, day, scope, signedHeaders, signature, time, payload }
}

function findScopeProblem({ keyId, day, scope, time, signedHeaders }: Signed, { accessKeyId, region }: S3Keys): string | undefined {
  if (keyId !== accessKeyId) return 'InvalidAccessKeyId'
  if (scope !== `${region}/s3/aws4_request` || !time.startsWith(day)) return 'AuthorizationHeaderMalformed'
  if (!signedHeaders.split(';').includes('host')) return 'SignatureDoesNotMatch'
  return Math.abs(parseTime(time) - Date.now()) > CLOCK_SKEW_MS ? 'RequestTimeTooSkewed' : undefined
}

function findPayloadProblem(payload: string, body: Buffer): string | undefined {
  // who signs in chunks, or promises a checksum at the end, is not understood: as by many servers
  if (payload.startsWith('STREAMING-')) return 'NotImplemented'
  return payload === 'UNSIGNED-PAYLOAD' || payload === hash('sha256', body) ? undefined : 'XAmzContentSHA256Mismatch'
}

function findWrongSignature(request: SignedRequest, signed: Signed, { secretAccessKey }: S3Keys): string | undefined {
  const { day, scope, time, signature } = signed
  const text = ['AWS4-HMAC-SHA256', time, `${day}/${scope}`, hash('sha256', canonicalRequest(request, signed))].join('\n')
  const key = [day, ...scope.split('/')].reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${secretAccessKey}`))
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

function canonicalRequest(
  { method, url, headers }: SignedRequest,
  { signedHeaders, payload }: { signedHeaders: string; payload: string },
): string {
  const [path = '', query = ''] = url.split('?')
  const pairs = query === '' ? [] : query.split('&').map((pair) => (pair.includes('=') ? pair : `${pair}=`))
  const lines = signedHeaders.split(';').map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replaceAll(/ +/g, ' ')}\n`,
  )
  return [method, path, pairs.toSorted().join('&'), lines.join(''), signedHeaders, payload].join('\n')
}

/** Such as 20260102T030405Z. */
function parseTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
