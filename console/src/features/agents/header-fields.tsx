import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Form, Input } from 'antd'
import { useTexts } from '../../lib/texts.ts'
import { agentEditorTexts } from './agent-editor-texts.ts'
import styles from './header-fields.module.css'
import type { ToolFormFields } from './tool-form.ts'

/** Of the form around it: `headers`. */
export function HeaderFields() {
  const t = useTexts(agentEditorTexts)
  const form = Form.useFormInstance<ToolFormFields>()
  return (
    <Form.Item label={t('tool.headers')} extra={t('tool.headers_hint')}>
      <Form.List name="headers">
        {(fields, { add, remove }) => (
          <div className={styles.headers}>
            {fields.map(({ key, name }) => (
              <div key={key} className={styles.header}>
                <Form.Item name={[name, 'name']} noStyle>
                  <Input
                    aria-label={t('tool.header_name', { number: name + 1 })}
                    placeholder="Authorization"
                    maxLength={200}
                    autoComplete="off"
                  />
                </Form.Item>
                <Form.Item name={[name, 'value']} noStyle>
                  <Input.Password
                    aria-label={t('tool.header_value', { number: name + 1 })}
                    placeholder={form.getFieldValue(['headers', name, 'value']) === null ? t('tool.header_kept') : undefined}
                    maxLength={10_000}
                    autoComplete="new-password"
                  />
                </Form.Item>
                <Button
                  type="text"
                  icon={<DeleteOutlined aria-hidden />}
                  aria-label={t('tool.header_remove', { number: name + 1 })}
                  onClick={() => remove(name)}
                />
              </div>
            ))}
            <Button icon={<PlusOutlined aria-hidden />} size="small" onClick={() => add({ name: '', value: '' })}>
              {t('tool.header_add')}
            </Button>
          </div>
        )}
      </Form.List>
    </Form.Item>
  )
}
