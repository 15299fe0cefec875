import { Checkbox, Collapse, Form, InputNumber, Radio } from 'antd'
import type { ReactNode } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { GrowingTextArea } from '../../ui/growing-text-area.tsx'
import { ChosenThings } from './chosen-things.tsx'
import type { Thing } from './chosen-things.tsx'
import styles from './key-dialogs.module.css'
import { ACTIONS, LIMITS, toPolicy } from './key-policy-form.ts'
import type { Action, PolicyFields } from './key-policy-form.ts'
import { usePolicySummary } from './key-policy-summary.ts'
import { keyPolicyTexts } from './key-policy-texts.ts'

export type PolicyPartProps = { isOpen: boolean; onToggle: (isOpen: boolean) => void }

/** What a key may do and how much: fields below `policy` of the form around them, folded into a line that sums them up. */
export function PolicyPart({ isOpen, onToggle }: PolicyPartProps) {
  const t = useTexts(keyPolicyTexts)
  const summarize = usePolicySummary()
  const fields = Form.useWatch<PolicyFields | undefined>('policy')
  const label = (
    <>
      <strong>{t('title')}</strong> <span className="quiet">{summarize(fields && toPolicy(fields))}</span>
    </>
  )
  return (
    <Collapse
      className={styles.fold}
      size="small"
      activeKey={isOpen ? ['policy'] : []}
      onChange={(keys) => onToggle(keys.length > 0)}
      // fields that were never seen are part of the form, too
      items={[{ key: 'policy', label, children: <PolicyFieldsPart />, forceRender: true }]}
    />
  )
}

function PolicyFieldsPart() {
  const t = useTexts(keyPolicyTexts)
  const { setFields } = Form.useFormInstance()
  return (
    <>
      <p className={styles.hint}>{t('hint')}</p>
      <Form.Item
        name={['policy', 'actions']}
        label={t('actions.label')}
        rules={[
          {
            validator: (_, actions?: Action[]) =>
              actions?.length === 0 ? Promise.reject(new Error(t('actions.missing'))) : Promise.resolve(),
          },
        ]}
      >
        <AllOrSome<Action> what="actions" render={(props) => <ActionChoice {...props} />} />
      </Form.Item>
      <ThingsField what="agents" name="bot_ids" />
      <ThingsField what="workflows" name="workflow_ids" />
      <Form.Item name={['policy', 'allowed_cidrs']} label={t('allowed_cidrs.label')} extra={t('allowed_cidrs.hint')}>
        <GrowingTextArea
          className="mono"
          maxRows={8}
          spellCheck={false}
          autoComplete="off"
          placeholder={'203.0.113.7\n10.0.0.0/8'}
          // what the server has said was about the text of then
          onChange={() => setFields([{ name: ['policy', 'allowed_cidrs'], errors: [] }])}
        />
      </Form.Item>
      <div className={styles.numbers}>
        {LIMITS.map((name) => (
          <Form.Item key={name} name={['policy', name]} label={t(`limit.${name}.label`)} extra={t(`limit.${name}.hint`)}>
            <InputNumber className={styles.number} min={1} precision={0} controls={false} placeholder={t('no_limit')} inputMode="numeric" />
          </Form.Item>
        ))}
      </div>
    </>
  )
}

function ThingsField({ what, name }: { what: Thing; name: 'bot_ids' | 'workflow_ids' }) {
  const t = useTexts(keyPolicyTexts)
  const chosen = Form.useWatch<string[] | undefined>(['policy', name])
  const hint = chosen === undefined ? t(`${what}.hint`) : chosen.length === 0 ? t(`${what}.hint_none`) : t(`${what}.hint_some`)
  return (
    <Form.Item name={['policy', name]} label={t(`${what}.label`)} extra={hint}>
      <AllOrSome<string> what={what} render={(props) => <ChosenThings what={what} {...props} />} />
    </Form.Item>
  )
}

type AllOrSomeProps<T> = {
  what: 'actions' | Thing
  render: (list: { value: T[]; onChange: (value: T[]) => void }) => ReactNode
  /** The form gives these. Undefined is all, now and later. */
  id?: string
  value?: T[]
  onChange?: (value: T[] | undefined) => void
}

function AllOrSome<T>({ what, render, id, value, onChange }: AllOrSomeProps<T>) {
  const t = useTexts(keyPolicyTexts)
  return (
    <div className={styles.choice}>
      <Radio.Group
        id={id}
        aria-label={t(`${what}.label`)}
        optionType="button"
        value={value === undefined ? 'all' : 'some'}
        options={(['all', 'some'] as const).map((scope) => ({ value: scope, label: t(`${what}.${scope}`) }))}
        onChange={({ target }) => onChange?.(target.value === 'all' ? undefined : [])}
      />
      {value !== undefined && render({ value, onChange: (next) => onChange?.(next) })}
    </div>
  )
}

function ActionChoice({ value, onChange }: { value: Action[]; onChange: (value: Action[]) => void }) {
  const t = useTexts(keyPolicyTexts)
  const options = ACTIONS.map((action) => ({
    value: action,
    label: (
      <>
        {t(`action.${action}.name`)} <span className="quiet">– {t(`action.${action}.hint`)}</span>
      </>
    ),
  }))
  return <Checkbox.Group className={styles.actions} value={value} options={options} onChange={onChange} />
}
