import { Command } from 'commander'
import { ensureAdmin } from '../accounts/users.ts'
import { applyManifest } from './apply-manifest.ts'
import { print, printJson, withCore } from './command-core.ts'
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
        if (options.json) return printJson(applied)

        if (admin?.generatedPassword !== undefined)
          print(`made the first user ${admin.user.email} with the password ${admin.generatedPassword}, shown only now`)
        for (const { kind, id, name, change, published } of applied) {
          print(`${kind} ${name} (${id}): ${change}${published === undefined ? '' : `, published ${published}`}`)
        }
        if (applied.length === 0) print('The manifest is empty: nothing to do.')
      })
    })
