import { Command } from 'commander'
import { applyCommand } from './cli/apply-command.ts'
import { auditCommand } from './cli/audit-command.ts'
import { botsCommand } from './cli/bots-command.ts'
import { doctorCommand } from './cli/doctor-command.ts'
import { keysCommand } from './cli/keys-command.ts'
import { migrateCommand } from './cli/migrate-command.ts'
import { scanCommand } from './cli/scan-command.ts'
import { serveCommand } from './cli/serve-command.ts'
import { usersCommand } from './cli/users-command.ts'
import { webhooksCommand } from './cli/webhooks-command.ts'
import { workflowsCommand } from './cli/workflows-command.ts'
import { ConfigError } from './config.ts'
import { AppError } from './lib/app-error.ts'
import { VERSION } from './version.ts'

/** `coze-plus <command>`. Every command works on the database of the environment, beside a running server too. */
const program = new Command('coze-plus')
  .description('Publish AI agents and workflows as an API service')
  .version(VERSION)
  // commands may have a --version of their own
  .enablePositionalOptions()
  .showHelpAfterError('(coze-plus --help shows all commands)')
  .addCommand(serveCommand())
  .addCommand(migrateCommand())
  .addCommand(applyCommand())
  .addCommand(usersCommand())
  .addCommand(keysCommand())
  .addCommand(botsCommand())
  .addCommand(workflowsCommand())
  .addCommand(webhooksCommand())
  .addCommand(auditCommand())
  .addCommand(scanCommand())
  .addCommand(doctorCommand())

try {
  await program.parseAsync()
} catch (cause) {
  process.exitCode = 1
  process.stderr.write(`coze-plus: ${explain(cause)}\n`)
}

/** What the operator did or can change is one line; a bug keeps its stack. */
function explain(cause: unknown): string {
  if (cause instanceof ConfigError || cause instanceof AppError) return cause.message
  if (!(cause instanceof Error)) return String(cause)
  if ('code' in cause && cause.code === 'EADDRINUSE')
    return `${cause.message}: stop the program that uses the port, or set PORT to another one`
  return 'code' in cause && typeof cause.code === 'string' ? cause.message || cause.code : (cause.stack ?? cause.message)
}
