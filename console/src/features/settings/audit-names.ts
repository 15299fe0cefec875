import type { AuditEntry } from '../../../../server/src/http/console/audit-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { auditTexts } from './audit-texts.ts'

/** What stands before the dot of an action. */
const GROUPS = ['agent', 'workflow', 'key', 'model', 'user'] as const

/** Actions that have a name; another one is shown as it is. */
const ACTIONS = [
  ...(['agent.create', 'agent.update', 'agent.publish', 'agent.roll_back', 'agent.unpublish', 'agent.delete'] as const),
  ...(['workflow.create', 'workflow.update', 'workflow.publish', 'workflow.roll_back', 'workflow.unpublish', 'workflow.delete'] as const),
  ...(['key.create', 'key.update', 'key.rotate', 'key.delete'] as const),
  ...(['model.create', 'model.update', 'model.test', 'model.delete'] as const),
  ...(['user.sign_in', 'user.sign_in_failed', 'user.sign_out', 'user.sign_up', 'user.set_up', 'user.create', 'user.update'] as const),
  ...(['user.change_password', 'user.reset_password'] as const),
]

export function useActionText(): (action: string) => string {
  const t = useTexts(auditTexts)
  return (action) => {
    const known = ACTIONS.find((each) => each === action)
    return known ? t(`action.${known}`) : action
  }
}

/** A change that disables or enables is called so: nothing matters more in it. */
export function useDeedText(): (entry: Pick<AuditEntry, 'action' | 'details'>) => string {
  const t = useTexts(auditTexts)
  const text = useActionText()
  return ({ action, details }) => {
    const what = action === 'key.update' ? 'key' : 'user'
    const isDisabled = what === 'key' ? details.disabled : details.is_disabled
    if (!action.endsWith('.update') || typeof isDisabled !== 'boolean') return text(action)
    return t(`${isDisabled ? 'disabled' : 'enabled'}.${what}`)
  }
}

/** Each group with its actions, to filter by: the value of a group is what all its actions begin with, such as `key.`. */
export function useActionChoices(): { value: string; label: string }[] {
  const t = useTexts(auditTexts)
  const text = useActionText()
  return GROUPS.flatMap((group) => [
    { value: `${group}.`, label: t('all_of', { group: t(`group.${group}`) }) },
    ...ACTIONS.filter((action) => action.startsWith(`${group}.`)).map((action) => ({ value: action, label: text(action) })),
  ])
}

type Actor = Pick<AuditEntry, 'actor_kind' | 'actor_user_id' | 'actor_email'>

/** The person, or what did it without one. */
export function useActorText(): (actor: Actor) => string {
  const t = useTexts(auditTexts)
  return ({ actor_kind, actor_user_id, actor_email }) => {
    if (actor_user_id !== null) return actor_email ?? t('actor.gone', { id: actor_user_id })
    return actor_kind === 'command' || actor_kind === 'system' ? t(`actor.${actor_kind}`) : t('actor.nobody')
  }
}

/** `Key 7 “shop”`: the name is what the entry has recorded. */
export function useTargetText(): (entry: Pick<AuditEntry, 'target_kind' | 'target_id' | 'details'>) => string {
  const t = useTexts(auditTexts)
  return ({ target_kind, target_id, details }) => {
    const known = GROUPS.find((each) => each === target_kind)
    const name = details.name ?? details.email
    return [known ? t(`target.${known}`) : target_kind, target_id, name === undefined ? '' : `“${String(name)}”`].join(' ').trim()
  }
}
