import { Command } from 'commander'
import { ensureAdmin } from '../accounts/users.ts'
import type { Applied } from './applied.ts'
import { applyManifest } from './apply-manifest.ts'
import type { Core } from '../core.ts'
import { print, printJson, recordCommand, withCore } from './command-core.ts'
import { readManifest } from './manifest.ts'

export const applyCommand = () =>
  new Command('apply')
    .description('Make models, apps, plugins, workflows and bots what a manifest says')
    .requiredOption('-f, --file <path>', 'YAML or JSON')
    .option('--json')
    .action(async (options: { file: string; json?: boolean }) => {
      const manifest = await readManifest(options.file)
      await withCore(async (core) => {
        const admin = await ensureAdmin(core, core.config.admin)
        const applied = await applyManifest(core, manifest)
        await recordApplied(core, applied)
        if (options.json) return printJson(applied)

        if (admin?.generatedPassword !== undefined)
          print(`made the first user ${admin.user.email} with the password ${admin.generatedPassword}, shown only now`)
        for (const { kind, id, name, change, published } of applied) {
          print(`${kind} ${name} (${id}): ${change}${published === undefined ? '' : `, published ${published}`}`)
        }
        if (applied.length === 0) print('The manifest is empty: nothing to do.')
      })
    })

/** One entry for what was changed, each; what stayed as it was has none. */
async function recordApplied(core: Core, applied: Applied[]): Promise<void> {
  for (const { kind, id, name, change, published } of applied) {
    const noun = kind === 'bot' ? 'agent' : kind
    const target = { kind: noun, id }
    const details = { name, by: 'manifest' }
    if (change !== 'unchanged')
      await recordCommand(core, { action: `${noun}.${change === 'created' ? 'create' : 'update'}`, target, details })
    if (published !== undefined)
      await recordCommand(core, { action: `${noun}.publish`, target, details: { ...details, version: published } })
  }
}
