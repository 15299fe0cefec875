import { Command } from 'commander'
import { findBot, listAllBots } from '../bots/bot-store.ts'
import type { Bot } from '../bots/bot-config.ts'
import { hasUnpublishedChanges, listVersions, publishBot, rollBackBot, unpublishBot } from '../bots/bots.ts'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { print, printJson, printTable, recordCommand, toDate, withCore } from './command-core.ts'

type JsonOption = { json?: boolean }

/** The operator acts for a bot's owner. */
export const botsCommand = () =>
  new Command('bots')
    .description('Publish bots and go back to earlier versions')
    .addCommand(listCommand())
    .addCommand(versionsCommand())
    .addCommand(publishCommand())
    .addCommand(unpublishCommand())
    .addCommand(rollBackCommand())

const listCommand = () =>
  new Command('list').option('--json').action(async (options: JsonOption) =>
    withCore(async ({ db }) => {
      const bots = await listAllBots(db)
      const rows = await Promise.all(
        bots.map(async (bot) => ({
          id: bot.id,
          name: bot.name,
          owner_id: bot.ownerId,
          state:
            bot.liveVersionId === undefined
              ? 'draft'
              : (await hasUnpublishedChanges({ db }, bot))
                ? 'published, draft differs'
                : 'published',
        })),
      )
      if (options.json) printJson(rows)
      else printTable(rows, 'There are no bots yet: describe one in a manifest and run `coze-plus apply -f FILE`.')
    }),
  )

const versionsCommand = () =>
  new Command('versions')
    .argument('<bot_id>')
    .option('--json')
    .action(async (botId: string, options: JsonOption) =>
      withBot(botId, async (core, bot) => {
        const versions = await listVersions(core, ownerOf(bot), bot.id)
        const rows = versions.map((each) => ({
          version: each.version,
          live: each.id === bot.liveVersionId ? 'live' : '',
          published: toDate(each.createdAt, ''),
          note: each.note,
        }))
        if (options.json) printJson(rows)
        else printTable(rows, 'Nothing is published yet: run `coze-plus bots publish`.')
      }),
    )

const publishCommand = () =>
  new Command('publish')
    .description('Make the draft the live version')
    .argument('<bot_id>')
    .option('--version-name <name>', 'the next number when absent')
    .option('--note <text>')
    .action(async (botId: string, options: { versionName?: string; note?: string }) =>
      withBot(botId, async (core, bot) => {
        const published = await publishBot(core, ownerOf(bot), { botId, version: options.versionName, note: options.note })
        await recordCommand(core, { action: 'agent.publish', target: agent(bot), details: { version: published.version } })
        print(`Published ${bot.name} ${published.version}.`)
      }),
    )

const unpublishCommand = () =>
  new Command('unpublish')
    .description('Take the bot out of the API; its versions stay')
    .argument('<bot_id>')
    .action(async (botId: string) =>
      withBot(botId, async (core, bot) => {
        await unpublishBot(core, ownerOf(bot), botId)
        await recordCommand(core, { action: 'agent.unpublish', target: agent(bot) })
        print(`Unpublished ${bot.name}.`)
      }),
    )

const rollBackCommand = () =>
  new Command('rollback')
    .description('Make an earlier version the live one')
    .argument('<bot_id>')
    .argument('<version>')
    .action(async (botId: string, version: string) =>
      withBot(botId, async (core, bot) => {
        await rollBackBot(core, ownerOf(bot), { botId, version })
        await recordCommand(core, { action: 'agent.roll_back', target: agent(bot), details: { version } })
        print(`${bot.name} is at ${version} again.`)
      }),
    )

const agent = (bot: Bot) => ({ kind: 'agent', id: bot.id })
const ownerOf = (bot: Bot) => ({ userId: bot.ownerId })

function withBot(botId: string, work: (core: Core, bot: Bot) => Promise<void>): Promise<void> {
  return withCore(async (core) => {
    const bot = /^\d{1,19}$/.test(botId) ? await findBot(core.db, botId) : undefined
    if (!bot) throw new AppError('not_found', `there is no bot ${botId}: see \`coze-plus bots list\``)
    await work(core, bot)
  })
}
