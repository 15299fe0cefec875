import { Form, Input, Modal, Radio } from 'antd'
import { useState } from 'react'
import { formatTime } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useRotateKey } from './api-keys-queries.ts'
import type { ListedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import styles from './key-dialogs.module.css'
import { MadeKey } from './made-key.tsx'
import { OVERLAPS, lastOverlapEnd, toLocalMinute, toOverlapSeconds } from './rotation.ts'
import type { OverlapChoice } from './rotation.ts'

type Rotated = { secret: string; overlapSeconds: number; at: number }

/** Gives a key a new secret and shows it, once. */
export function RotateKeyDialog({ apiKey, onClose }: { apiKey: ListedKey; onClose: () => void }) {
  const t = useTexts(apiKeysTexts)
  const language = useLanguage()
  const [rotated, setRotated] = useState<Rotated>()
  if (!rotated) return <RotateForm apiKey={apiKey} onClose={onClose} onRotated={setRotated} />

  const { secret, overlapSeconds, at } = rotated
  const { masked } = apiKey
  const note =
    overlapSeconds === 0
      ? t('rotate.ended', { masked })
      : t('rotate.valid_until', { masked, time: formatTime(at + overlapSeconds * 1000, language) })
  return (
    <MadeKey
      title={t('rotate.made', { name: apiKey.name })}
      secret={secret}
      note={<p className={styles.note}>{note}</p>}
      onClose={onClose}
    />
  )
}

type RotateFormProps = { apiKey: ListedKey; onClose: () => void; onRotated: (rotated: Rotated) => void }

function RotateForm({ apiKey: { id, name, masked }, onClose, onRotated }: RotateFormProps) {
  const t = useTexts(apiKeysTexts)
  const [form] = Form.useForm<OverlapChoice>()
  const overlap = Form.useWatch('overlap', form)
  const [now] = useState(Date.now)
  const { mutateAsync, error, isPending } = useRotateKey()

  const submit = async (choice: OverlapChoice) => {
    const at = Date.now()
    const overlapSeconds = toOverlapSeconds(choice, at)
    if (overlapSeconds === undefined) return
    // the secret goes to the dialog alone, not into a cache
    const secret = await mutateAsync({ id, overlap_seconds: overlapSeconds }).catch(() => undefined)
    if (secret !== undefined) onRotated({ secret, overlapSeconds, at })
  }
  const validator = (_: unknown, time: string) =>
    toOverlapSeconds({ overlap: 'until', time }, Date.now()) === undefined
      ? Promise.reject(new Error(t('rotate.time_wrong')))
      : Promise.resolve()

  return (
    <Modal
      open
      title={t('rotate.title', { name })}
      width={560}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={t('rotate.action')}
      confirmLoading={isPending}
    >
      <p className={styles.hint}>{t('rotate.hint')}</p>
      <Form<OverlapChoice> form={form} layout="vertical" initialValues={{ overlap: 'day' }} onFinish={(choice) => void submit(choice)}>
        <Form.Item
          name="overlap"
          label={t('rotate.overlap', { masked })}
          extra={overlap === 'now' ? t('rotate.now_hint') : t('rotate.overlap_hint')}
        >
          <Radio.Group
            className={styles.options}
            aria-label={t('rotate.overlap', { masked })}
            optionType="button"
            options={OVERLAPS.map((value) => ({ value, label: t(`rotate.overlaps.${value}`) }))}
          />
        </Form.Item>
        {overlap === 'until' && (
          <Form.Item name="time" label={t('rotate.time')} rules={[{ validator }]} validateTrigger="onBlur">
            <Input type="datetime-local" className={styles.time} min={toLocalMinute(now)} max={toLocalMinute(lastOverlapEnd(now))} />
          </Form.Item>
        )}
        <ErrorNotice error={error} />
      </Form>
    </Modal>
  )
}
