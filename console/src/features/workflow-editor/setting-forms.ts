import type { SettingHint } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import type { CanvasNode } from './canvas-model.ts'

/** Forms that only one kind of node has; to the server these settings are JSON. */
export type SettingForm = SettingHint['kind'] | 'loop_assignments' | 'variable_assignments' | 'groups' | 'http_auth' | 'asked_fields'

const forms: Record<string, SettingForm> = {
  '18 inputs.options': 'texts',
  '20 inputs.inputParameters': 'loop_assignments',
  '22 inputs.intents': 'texts',
  '30 inputs.outputSchema': 'asked_fields',
  '32 inputs.mergeGroups': 'groups',
  '40 inputs.inputParameters': 'variable_assignments',
  '45 inputs.auth': 'http_auth',
}

export const formOf = ({ type }: Pick<CanvasNode, 'type'>, { path, kind }: SettingHint): SettingForm => forms[`${type} ${path}`] ?? kind

/** What these forms say in outputs, too: a form of its own for that would only let the two differ. */
export const isImplied = ({ type }: Pick<CanvasNode, 'type'>, { kind }: SettingHint): boolean =>
  kind === 'outputs' && (type === '30' || type === '32')
