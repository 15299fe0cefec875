import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { outputOf, startProgram } from '../support/child-program.ts'
import type { ChildProgram } from '../support/child-program.ts'
import { requireProgram } from '../support/find-program.ts'
import { freePort } from '../support/free-port.ts'

/** An nginx of one's own with the guide's configuration: `https://api.example.com`, by a certificate made for this once. */
export type NginxFront = AsyncDisposable & {
  port: number
  /** Of the server and of its certificate. */
  name: string
  certificatePath: string
}

/** `part` is what the guide shows; of it only the port, the backend's address and the paths of the certificate are replaced. */
export async function startNginx(part: string, backendPort: number): Promise<NginxFront> {
  await using started = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'coze-plus-nginx-'))
  started.defer(() => rm(dir, { recursive: true, force: true }))
  const certificatePath = join(dir, 'certificate.pem')
  const keyPath = join(dir, 'key.pem')
  const configPath = join(dir, 'nginx.conf')
  await makeCertificate(certificatePath, keyPath)

  const port = await freePort()
  const site = part
    .replace('listen 443 ', `listen 127.0.0.1:${port} `)
    .replaceAll('http://backend:8888', `http://127.0.0.1:${backendPort}`)
    .replace('/path/to/cert.pem', certificatePath)
    .replace('/path/to/key.pem', keyPath)
  await mkdir(join(dir, 'temp'))
  await writeFile(configPath, config(site))

  const nginx = started.use(startProgram(requireProgram('nginx'), ['-p', dir, '-c', configPath, '-e', 'stderr']))
  await untilAnswering(nginx, port)
  const all = started.move()
  return { port, name: NAME, certificatePath, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

const NAME = 'api.example.com'

async function makeCertificate(certificatePath: string, keyPath: string): Promise<void> {
  const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-days', '2']
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyPath]
  await outputOf(requireProgram('openssl'), ['req', '-x509', ...newKey, ...subject, '-out', certificatePath])
}

/** What every nginx has around a site. Nothing of it says anything about proxying. */
const config = (site: string) => `
daemon off;
pid nginx.pid;
worker_processes 1;
${userInfo().uid === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`).join(' ')}
  ${site}
}
`

async function untilAnswering(nginx: ChildProgram, port: number): Promise<void> {
  const isOver = nginx.ended.then(() => true)
  for (let tries = 0; tries < 200; tries++) {
    if (await canConnect(port)) return
    if (await Promise.race([isOver, setTimeout(30, false)])) break
  }
  throw new Error(`nginx does not start:\n${nginx.printed().stderr}`)
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}
