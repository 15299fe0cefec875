import { InputNumber, Select, Switch } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { renamePorts, setSetting } from './canvas-edits.ts'
import { readAt, textAt, toPlainText } from './canvas-json.ts'
import type { Json } from './canvas-json.ts'
import type { CanvasNode } from './canvas-model.ts'
import { BRANCH_ERROR } from './canvas-ports.ts'
import { useEditorRoom } from './editor-room.ts'
import styles from './node-panel.module.css'
import { workflowEditorTexts } from './workflow-editor-texts.ts'

const AT = 'inputs.settingOnError'

/** What becomes of the run when the node fails. */
export function ErrorSettings({ node }: { node: CanvasNode }) {
  const t = useTexts(workflowEditorTexts)
  const { store } = useEditorRoom()
  const setting = readAt(node.data, AT)
  const isOn = readAt(setting, 'switch') === true
  const then = textAt(setting, 'processType') || '1'
  const id = (name: string) => `error-${node.id}-${name}`
  const set = (name: string, value: Json) =>
    store.edit((canvas) => setSetting(canvas, { id: node.id, path: `${AT}.${name}`, value }), `${node.id} ${AT} ${name}`)
  // with an error branch the good way has a name of its own, and without one it has none
  const setThen = (value: Json, hasBranch: boolean, name = 'processType') =>
    store.edit((canvas) =>
      renamePorts(setSetting(canvas, { id: node.id, path: `${AT}.${name}`, value }), node.id, (port) => toPort(port, hasBranch)),
    )

  return (
    <fieldset className={styles.section}>
      <legend>{t('node.on_error')}</legend>
      <div className={styles.switch}>
        <Switch id={id('on')} checked={isOn} onChange={(on) => setThen(on, on && then === '3', 'switch')} />
        <label htmlFor={id('on')}>{t('errors.handle')}</label>
      </div>
      {isOn && (
        <div className={styles.field}>
          <label htmlFor={id('then')}>{t('errors.then')}</label>
          <Select
            id={id('then')}
            className={styles.wide}
            value={then}
            onChange={(chosen: string) => setThen(Number(chosen), chosen === '3')}
            options={[
              { value: '1', label: t('errors.throw') },
              { value: '2', label: t('errors.default') },
              { value: '3', label: t('errors.branch') },
            ]}
          />
        </div>
      )}
      {isOn && then === '2' && (
        <div className={styles.field}>
          <label htmlFor={id('data')}>{t('errors.data')}</label>
          <GrowingTextArea
            id={id('data')}
            className="mono"
            value={textAt(setting, 'dataOnErr')}
            onChange={(event) => set('dataOnErr', event.target.value)}
            minRows={2}
            maxRows={10}
          />
        </div>
      )}
      {(['retryTimes', 'timeoutMs'] as const).map((name) => (
        <div key={name} className={styles.field}>
          <label htmlFor={id(name)}>{t(name === 'retryTimes' ? 'errors.retries' : 'errors.timeout')}</label>
          <InputNumber
            id={id(name)}
            className={styles.wide}
            min={0}
            max={name === 'retryTimes' ? 10 : 86_400_000}
            precision={0}
            value={Number(toPlainText(readAt(setting, name)) || 0)}
            onChange={(value) => set(name, value ?? 0)}
          />
        </div>
      ))}
    </fieldset>
  )
}

function toPort(port: string, hasBranch: boolean): string | undefined {
  if (hasBranch) return port === '' ? 'default' : port
  if (port === BRANCH_ERROR) return undefined
  return port === 'default' ? '' : port
}
