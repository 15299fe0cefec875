import { Alert, Button, DatePicker, Form, Input, Modal, Radio } from 'antd'
import dayjs from 'dayjs'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTexts } from '../../lib/texts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useCreateKey } from './api-keys-queries.ts'
import type { NewKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'

export type NewKeyDialogProps = {
  /** To begin with. */
  name?: string
  onClose: () => void
  /** Adds a way to hand the key to the page that it was made on. */
  onUse?: (secret: string) => void
}

/** Makes a key and shows it, once: closed, the page knows nothing of it any more. */
export function NewKeyDialog({ name = '', onClose, onUse }: NewKeyDialogProps) {
  const [made, setMade] = useState<NewKey>()
  if (!made) return <KeyForm name={name} onClose={onClose} onMade={setMade} />

  const use =
    onUse &&
    (() => {
      onUse(made.secret)
      onClose()
    })
  return <MadeKey made={made} onClose={onClose} onUse={use} />
}

type Fields = { name: string; expiry: string; date?: Dayjs }
const PRESETS = [7, 30, 90, 365]
const DAY_MS = 86_400_000

function KeyForm({ name, onClose, onMade }: { name: string; onClose: () => void; onMade: (key: NewKey) => void }) {
  const t = useTexts(apiKeysTexts)
  const [form] = Form.useForm<Fields>()
  const { mutateAsync, error, isPending } = useCreateKey()
  const expiry = Form.useWatch('expiry', form)

  // the secret goes to the dialog alone, not into a cache
  const submit = async (fields: Fields) => {
    const key = await mutateAsync({ name: fields.name.trim(), expire: toExpire(fields) }).catch(() => undefined)
    if (key) onMade(key)
  }
  return (
    <Modal open title={t('create')} onCancel={onClose} onOk={() => form.submit()} okText={t('make')} confirmLoading={isPending}>
      <Form<Fields> form={form} layout="vertical" initialValues={{ name, expiry: 'never' }} onFinish={(fields) => void submit(fields)}>
        <Form.Item
          name="name"
          label={t('name')}
          extra={t('name_hint')}
          rules={[{ required: true, whitespace: true, message: t('name_missing') }]}
        >
          <Input autoFocus maxLength={255} autoComplete="off" />
        </Form.Item>
        <Form.Item name="expiry" label={t('expires')}>
          <Radio.Group
            optionType="button"
            options={[
              { value: 'never', label: t('never') },
              ...PRESETS.map((days) => ({ value: String(days), label: t('days', { count: days }) })),
              { value: 'date', label: t('on_date') },
            ]}
          />
        </Form.Item>
        {expiry === 'date' && (
          <Form.Item name="date" label={t('date')} rules={[{ required: true, message: t('date_missing') }]}>
            <DatePicker minDate={dayjs().add(1, 'day')} format="YYYY-MM-DD" />
          </Form.Item>
        )}
        <ErrorNotice error={error} />
      </Form>
    </Modal>
  )
}

function MadeKey({ made, onClose, onUse }: { made: NewKey; onClose: () => void; onUse?: () => void }) {
  const t = useTexts(apiKeysTexts)
  return (
    <Modal
      open
      title={t('made.title', { name: made.name })}
      onCancel={onClose}
      mask={{ closable: false }}
      keyboard={false}
      closable={false}
      footer={
        <>
          <Button type={onUse ? 'default' : 'primary'} onClick={onClose}>
            {t('made.done')}
          </Button>
          {onUse && (
            <Button type="primary" onClick={onUse}>
              {t('made.use')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack">
        <Alert type="warning" showIcon title={t('made.once')} />
        <Input readOnly className="mono" value={made.secret} aria-label={t('made.field')} onFocus={({ target }) => target.select()} />
        <div>
          <CopyButton text={made.secret} label={t('made.copy')} />
        </div>
      </div>
    </Modal>
  )
}

/** The end of the chosen day; the server takes a moment in milliseconds. */
function toExpire({ expiry, date }: Fields): number {
  if (expiry === 'date') return date?.endOf('day').valueOf() ?? 0
  return expiry === 'never' ? 0 : Date.now() + Number(expiry) * DAY_MS
}
