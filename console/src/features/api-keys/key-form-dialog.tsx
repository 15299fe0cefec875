import { Form, Input, Modal } from 'antd'
import type { FormInstance } from 'antd'
import { useState } from 'react'
import type { ShownPolicy } from '../../../../server/src/http/console/key-policy-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import type { ListedKey, WantedKey } from './api-keys-queries.ts'
import { apiKeysTexts } from './api-keys-texts.ts'
import { ExpiryFields, toExpire } from './expiry-fields.tsx'
import type { ExpiryChoice } from './expiry-fields.tsx'
import { isSamePolicy, linesOf, refusedFieldOf, toPolicy, toPolicyFields } from './key-policy-form.ts'
import type { PolicyFields, RefusedField } from './key-policy-form.ts'
import { keyPolicyTexts } from './key-policy-texts.ts'
import { PolicyPart } from './policy-fields.tsx'

export type KeyFormDialogProps = {
  title: string
  /** The word on the button. */
  action: string
  name: string
  /** Of a key that there is: what is left alone stays. */
  before?: Pick<ListedKey, 'policy' | 'expiredAt'>
  /** The dialog stays, and says why, when this fails. */
  onSave: (wanted: WantedKey) => Promise<void>
  onClose: () => void
}

const FORM_ID = 'key-form'

type Fields = ExpiryChoice & { name: string; policy: PolicyFields }

/** What is decided about a key. */
export function KeyFormDialog({ title, action, name, before, onSave, onClose }: KeyFormDialogProps) {
  const t = useTexts(apiKeysTexts)
  const [form] = Form.useForm<Fields>()
  const { submit, fail, ...state } = useKeyForm(form, { policy: before?.policy, isNew: !before, onSave })
  const initial = { name, expiry: before ? 'keep' : 'never', policy: toPolicyFields(before?.policy) }

  return (
    <Modal
      open
      title={title}
      width={640}
      onCancel={onClose}
      okText={action}
      // with a button of its own the form is sent by Enter, however many fields it has
      okButtonProps={{ htmlType: 'submit', form: FORM_ID }}
      confirmLoading={state.isBusy}
      mask={{ closable: false }}
    >
      <Form<Fields>
        id={FORM_ID}
        form={form}
        layout="vertical"
        initialValues={initial}
        onFinish={(fields) => void submit(fields)}
        onFinishFailed={fail}
      >
        <Form.Item
          name="name"
          label={t('name')}
          extra={t('name_hint')}
          rules={[{ required: true, whitespace: true, message: t('name_missing') }]}
        >
          <Input autoFocus maxLength={255} autoComplete="off" />
        </Form.Item>
        <ExpiryFields before={before?.expiredAt} />
        <PolicyPart isOpen={state.isOpen} onToggle={state.setOpen} />
        <ErrorNotice error={state.error} />
      </Form>
    </Modal>
  )
}

type KeyForm = { policy: ShownPolicy | undefined; isNew: boolean; onSave: KeyFormDialogProps['onSave'] }

function useKeyForm(form: FormInstance<Fields>, { policy, isNew, onSave }: KeyForm) {
  const describe = useRuleText()
  const [isBusy, setBusy] = useState(false)
  const [isOpen, setOpen] = useState(false)
  const [error, setError] = useState<unknown>()

  const submit = async (fields: Fields) => {
    const keepsPolicy = !isNew && isSamePolicy(fields.policy, toPolicyFields(policy))
    setBusy(true)
    setError(undefined)
    try {
      await onSave({
        name: fields.name.trim(),
        expire: toExpire(fields),
        policy: keepsPolicy ? undefined : (toPolicy(fields.policy) ?? null),
      })
    } catch (cause) {
      refuse(cause, fields)
    } finally {
      setBusy(false)
    }
  }
  const refuse = (cause: unknown, fields: Fields) => {
    const refused = refusedFieldOf(cause)
    if (!refused) return setError(cause)
    const errors = [describe(refused, fields)]
    if (refused.field === 'name') return form.setFields([{ name: 'name', errors }])
    form.setFields([{ name: ['policy', refused.field], errors }])
    setOpen(true)
    form.scrollToField(['policy', refused.field], { block: 'center', focus: true })
  }
  // a field that is folded away cannot say what is wrong
  const fail = ({ errorFields }: { errorFields: { name: (string | number)[] }[] }) =>
    setOpen((wasOpen) => wasOpen || errorFields.some(({ name }) => name[0] === 'policy'))
  return { submit, fail, isBusy, isOpen, setOpen, error }
}

/** The server's words, but for an address: there it is said which one. */
function useRuleText(): (refused: RefusedField, fields: Fields) => string {
  const t = useTexts(keyPolicyTexts)
  return ({ field, index, rule }, { policy }) => {
    const text = index === undefined || field !== 'allowed_cidrs' ? undefined : linesOf(policy.allowed_cidrs)[index]
    return text === undefined ? rule : t('allowed_cidrs.wrong', { text })
  }
}
