import { Checkbox, Form, Input, Modal, Select } from 'antd'
import type { FormInstance } from 'antd'
import type { Model, ModelTest } from '../../../../server/src/http/console/model-wire.ts'
import { useTexts } from '../../lib/texts.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { ModelTestRun } from './model-test-run.tsx'
import { useSaveModel } from './settings-queries.ts'
import { settingsTexts } from './settings-texts.ts'

type Fields = {
  name: string
  protocol: Model['protocol']
  base_url: string
  provider_model: string
  api_key: string
  forgets_key: boolean
}

const PROTOCOLS = ['openai', 'anthropic', 'google', 'demo'] as const
const EMPTY: Fields = { name: '', protocol: 'openai', base_url: '', provider_model: '', api_key: '', forgets_key: false }

/** Makes a model, or changes one. Its key is never read, only replaced; what was typed is gone with the dialog. */
export function ModelDialog({ model, onClose }: { model?: Model; onClose: () => void }) {
  const t = useTexts(settingsTexts)
  const [form] = Form.useForm<Fields>()
  const save = useSaveModel(model?.id)

  const submit = (fields: Fields) => save.mutate({ name: fields.name, ...settingsOf(fields, model) }, { onSuccess: onClose })
  const readForTest = async (): Promise<ModelTest | undefined> => {
    const isComplete = await form.validateFields(['protocol', 'base_url', 'provider_model']).then(
      () => true,
      () => false,
    )
    return isComplete ? { id: model?.id, ...settingsOf({ ...EMPTY, ...form.getFieldsValue() }, model) } : undefined
  }
  return (
    <Modal
      open
      title={model ? t('models.change_title', { name: model.name }) : t('models.add')}
      okText={model ? t('save') : t('models.add_action')}
      cancelText={t('cancel')}
      confirmLoading={save.isPending}
      onOk={() => form.submit()}
      onCancel={onClose}
      mask={{ closable: false }}
      destroyOnHidden
    >
      <Form<Fields> form={form} layout="vertical" initialValues={{ ...EMPTY, ...model }} onFinish={submit} autoComplete="off">
        <ModelFields form={form} model={model} />
      </Form>
      <div className="stack">
        <ModelTestRun read={readForTest} />
        <ErrorNotice error={save.error} />
      </div>
    </Modal>
  )
}

function ModelFields({ form, model }: { form: FormInstance<Fields>; model: Model | undefined }) {
  const t = useTexts(settingsTexts)
  const protocol = Form.useWatch('protocol', form)
  const forgetsKey = Form.useWatch('forgets_key', form)
  const needsProvider = protocol !== 'demo'
  return (
    <>
      {!model && (
        <Form.Item name="name" label={t('models.name')} extra={t('models.name_hint')} rules={[required(t('models.name_missing'))]}>
          <Input maxLength={100} />
        </Form.Item>
      )}
      <Form.Item name="protocol" label={t('models.protocol')}>
        <Select options={PROTOCOLS.map((value) => ({ value, label: t(`models.protocols.${value}`) }))} />
      </Form.Item>
      {needsProvider && (
        <>
          <Form.Item
            name="base_url"
            label={t('models.base_url')}
            extra={t('models.base_url_hint')}
            rules={[
              {
                validator: (_, url: string) => (isBaseUrl(url) ? Promise.resolve() : Promise.reject(new Error(t('models.base_url_wrong')))),
              },
            ]}
          >
            <Input inputMode="url" maxLength={1_000} placeholder="https://…/v1" spellCheck={false} autoCapitalize="none" />
          </Form.Item>
          <Form.Item
            name="provider_model"
            label={t('models.provider_model')}
            extra={t('models.provider_model_hint')}
            rules={[required(t('models.provider_model_missing'))]}
          >
            <Input maxLength={200} spellCheck={false} autoCapitalize="none" />
          </Form.Item>
          <Form.Item name="api_key" label={t('models.key')} extra={model?.has_api_key ? t('models.key_stays') : t('models.key_hint')}>
            <Input.Password autoComplete="new-password" maxLength={1_000} disabled={forgetsKey} />
          </Form.Item>
        </>
      )}
      {needsProvider && model?.has_api_key && (
        <Form.Item name="forgets_key" valuePropName="checked">
          <Checkbox>{t('models.key_forget')}</Checkbox>
        </Form.Item>
      )}
    </>
  )
}

/** @NOTE the rule `url` of Ant Design refuses hosts without a dot, such as `http://ollama:11434`, and ports of one digit */
const isBaseUrl = (text: string) => text.trim() === '' || (URL.canParse(text) && /^https?:\/\//i.test(text.trim()))

const required = (message: string) => ({ required: true, whitespace: true, message })

/** No key means: the stored one stays. An empty one means: none. */
function settingsOf({ protocol, base_url, provider_model, api_key, forgets_key }: Fields, model: Model | undefined) {
  if (protocol === 'demo') return { protocol, base_url: '', provider_model: '', api_key: '' }
  const keeps = model !== undefined && api_key === ''
  return { protocol, base_url, provider_model, api_key: forgets_key ? '' : keeps ? null : api_key }
}
