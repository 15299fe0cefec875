import { Command } from 'commander'
import { createUser, listUsers } from '../accounts/users.ts'
import { print, printJson, printTable, recordCommand, withCore } from './command-core.ts'

const PAGE = 1_000

export const usersCommand = () =>
  new Command('users')
    .description('Manage the people who build agents')
    .addCommand(
      new Command('create')
        .description('Create a user')
        .requiredOption('--email <email>')
        .requiredOption('--password <password>')
        .option('--name <name>')
        .option('--admin', 'may manage models and users')
        .option('--json')
        .action(async (options: { email: string; password: string; name?: string; admin?: boolean; json?: boolean }) =>
          withCore(async (core) => {
            const { id, email, role } = await createUser(core, { ...options, role: options.admin ? 'admin' : 'user' })
            await recordCommand(core, { action: 'user.create', target: { kind: 'user', id }, details: { email, role } })
            if (options.json) printJson({ id, email, role })
            else print(`Created ${role} ${email} (id ${id}).`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('List the users')
        .option('--json')
        .action(async (options: { json?: boolean }) =>
          withCore(async ({ db }) => {
            const { users } = await listUsers({ db }, { page: 1, size: PAGE })
            const rows = users.map(({ id, email, name, role }) => ({ id, email, name, role }))
            if (options.json) printJson(rows)
            else printTable(rows, 'There are no users yet: create one with `coze-plus users create`.')
          }),
        ),
    )
