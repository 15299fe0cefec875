import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, parse as parseYaml } from 'yaml'
import { loadConfig } from '../../src/config.ts'
import { outputOf } from '../support/child-program.ts'
import { cannotRun, requireProgram } from '../support/find-program.ts'
import { repositoryRoot } from '../support/serve-process.ts'
import { useTestApp } from '../support/test-app.ts'
import type { Json } from '../support/test-app.ts'

const read = (name: string) => readFile(join(repositoryRoot, 'deploy', name), 'utf8')
const readYaml = async (name: string): Promise<Json> => parseYaml(await read(name))

/** What an operator copies. No engine runs here: the files are read, and what they name has to be there. */
describe('files to deploy with', () => {
  const app = useTestApp({})

  test('the dashboard and the alerts ask for metrics that there are', async () => {
    await app.call('POST', '/v3/chat', { bot_id: 123456, query: 'hi' })
    const metrics = (await app.call('GET', '/metrics')).text
    const known = new Set(
      [...metrics.matchAll(/^# TYPE (\S+) (\w+)/gm)].flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
    )
    const dashboard: Json = JSON.parse(await read('grafana-dashboard.json'))
    const alerts = await readYaml('prometheus-alerts.yml')
    const queries: string[] = [
      ...dashboard.panels.flatMap((panel: Json) => panel.targets.map((target: Json) => target.expr)),
      ...alerts.groups[0].rules.map((rule: Json) => rule.expr),
    ]

    expect(queries.length).toBeGreaterThan(20)
    for (const name of queries.flatMap((query) => [...query.matchAll(/([a-z_0-9]+)\{/g)].map((found) => found[1] ?? '')))
      if (name !== 'up') expect(known).toContain(name)
  })

  test.skipIf(cannotRun('promtool'))('Prometheus takes the alerts', async () => {
    const printed = await outputOf(requireProgram('promtool'), ['check', 'rules', join(repositoryRoot, 'deploy', 'prometheus-alerts.yml')])
    expect(printed).toMatch(/SUCCESS: \d+ rules found/)
  })

  test('compose and Kubernetes set variables that the server knows, and stop later than it drains', async () => {
    const { services } = await readYaml('compose.yaml')
    const [config, deployment] = parseAllDocuments(await read('kubernetes.yaml')).map((document): Json => document.toJS())
    const source = await readFile(join(repositoryRoot, 'server', 'src', 'config.ts'), 'utf8')
    const environment = services['coze-plus'].environment
    for (const name of [...Object.keys(environment), ...Object.keys(config.data)]) expect(source).toMatch(new RegExp(`^  ${name}: `, 'm'))

    const values = Object.entries(environment).map(([name, value]) => [
      name,
      String(value).replaceAll(/\$\{\w+(:-|:\?)?([^}]*)\}/g, (_all, _kind, given) => given || 'secret-1'),
    ])
    expect(loadConfig(Object.fromEntries(values))).toMatchObject({ s3: { bucket: 'coze-plus', forcePathStyle: true }, drainMs: 60_000 })
    expect(Number.parseInt(services['coze-plus'].stop_grace_period)).toBeGreaterThan(Number(environment.DRAIN_SECONDS))
    const { terminationGracePeriodSeconds, containers } = deployment.spec.template.spec
    expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(config.data.DRAIN_SECONDS) + 8)
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect((await app.call('GET', containers[0][probe].httpGet.path)).status).toBe(200)
  })

  test('every volume and service that compose names is there', async () => {
    const { services, volumes } = await readYaml('compose.yaml')
    for (const service of Object.values<Json>(services)) {
      const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {})
      for (const name of needed) expect(Object.keys(services)).toContain(name)
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':')
        if (from.startsWith('./')) await read(from.slice(2))
        else expect(Object.keys(volumes)).toContain(from)
      }
    }
  })

  test('the image and the unit start what there is', async () => {
    const [image, unit] = [await read('Dockerfile'), await read('coze-plus.service')]
    const entry = 'server/bin/coze-plus.js'
    await readFile(join(repositoryRoot, entry))
    expect(image).toContain(`CMD ["node", "${entry}", "serve"]`)
    expect(unit).toMatch(new RegExp(`^ExecStart=/\\S+/node ${entry} serve$`, 'm'))
    const [, drain = ''] = /DRAIN_SECONDS=(\d+)/.exec(unit) ?? []
    const [, stop = ''] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? []
    expect(Number(stop)).toBeGreaterThan(Number(drain))
  })

  test.skipIf(cannotRun('systemd-analyze'))('systemd takes the unit', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'coze-plus-unit-'))
    const path = join(dir, 'coze-plus.service')
    // it looks for programs and users of this machine
    await writeFile(path, (await read('coze-plus.service')).replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true').replace(/^User=.*$/m, ''))
    await outputOf(requireProgram('systemd-analyze'), ['verify', '--man=no', path])
    await rm(dir, { recursive: true })
  })
})
