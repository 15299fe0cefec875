import type { ShownPolicy } from '../../../../server/src/http/console/key-policy-wire.ts'
import { formatNumber, formatShortNumber } from '../../lib/format.ts'
import type { Language } from '../../lib/languages.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import type { Translate } from '../../lib/texts.ts'
import { LIMITS } from './key-policy-form.ts'
import type { Limit } from './key-policy-form.ts'
import { keyPolicyTexts } from './key-policy-texts.ts'

/** One line that says what a policy limits; "No limits" without one. */
export function usePolicySummary(): (policy: ShownPolicy | undefined) => string {
  const t = useTexts(keyPolicyTexts)
  const language = useLanguage()
  return (policy) => summarizePolicy(policy, t, language)
}

type PolicyTexts = Translate<(typeof keyPolicyTexts)['en']>

function summarizePolicy(policy: ShownPolicy = {}, t: PolicyTexts, language: Language): string {
  const { actions, bot_ids, workflow_ids, allowed_cidrs } = policy
  const words = actions?.map((action) => t(`action.${action}.name`))
  const parts = [
    words && t('summary.actions', { list: words.join(t('summary.and')) }),
    bot_ids && (bot_ids.length === 0 ? t('summary.no_agents') : t('summary.agents', { count: bot_ids.length })),
    workflow_ids && (workflow_ids.length === 0 ? t('summary.no_workflows') : t('summary.workflows', { count: workflow_ids.length })),
    allowed_cidrs &&
      (allowed_cidrs.length === 1
        ? t('summary.from', { range: allowed_cidrs[0] ?? '' })
        : t('summary.ranges', { count: allowed_cidrs.length })),
    ...LIMITS.map((limit) => {
      const most = policy[limit]
      return most === undefined ? undefined : t(`summary.${limit}`, { shown: shown(limit, most, language) })
    }),
  ].filter((part) => part !== undefined)
  const text = parts.join(' · ')
  return text === '' ? t('none') : text.slice(0, 1).toUpperCase() + text.slice(1)
}

const shown = (limit: Limit, most: number, language: Language): string =>
  limit.startsWith('tokens') ? formatShortNumber(most, language) : formatNumber(most, language)
