import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** AWS Signature Version 4, as a server checks it: computed here from what was sent, by the published description and nobody's library. */
export type SignedRequest = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer }
export type S3Keys = { accessKeyId: string; secretAccessKey: string; region: string }

const CLOCK_SKEW_MS = 15 * 60_000

/** What is wrong with the signature, by S3's name for it; undefined when nothing is. */
export function findSignatureProblem(request: SignedRequest, { accessKeyId, secretAccessKey, region }: S3Keys): string | undefined {
  const { headers, body } = request
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '')
  const [, credential = '', signedHeaders = '', signature = ''] = found ?? []
  const [keyId, day = '', ...scope] = credential.split('/')
  const time = String(headers['x-amz-date'] ?? '')
  if (keyId !== accessKeyId) return 'InvalidAccessKeyId'
  if (scope.join('/') !== `${region}/s3/aws4_request` || !time.startsWith(day)) return 'AuthorizationHeaderMalformed'
  if (Math.abs(parseTime(time) - Date.now()) > CLOCK_SKEW_MS) return 'RequestTimeTooSkewed'

  const payload = String(headers['x-amz-content-sha256'] ?? '')
  // who signs in chunks, or promises a checksum at the end, is not understood: as by many servers
  if (payload.startsWith('STREAMING-')) return 'NotImplemented'
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== hash('sha256', body)) return 'XAmzContentSHA256Mismatch'
  if (!signedHeaders.split(';').includes('host')) return 'SignatureDoesNotMatch'

  const canonical = canonicalRequest(request, { signedHeaders, payload })
  const text = ['AWS4-HMAC-SHA256', time, [day, ...scope].join('/'), hash('sha256', canonical)].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${secretAccessKey}`),
  )
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
