"""What forms for people outside say."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "web_form.token": {
            "zh": "请核对以下内容，再提交一次。",
            "en": "Please check what you have entered and send it once more.",
        },
        "web_form.early": {
            "zh": "提交得太快了，请核对后再提交一次。",
            "en": "That was very quick. Please check it and send it once more.",
        },
        "web_form.late": {
            "zh": "页面打开已久，请再提交一次；您填写的内容都在。",
            "en": "The page has been open for long. Please send it once more; all you entered is still here.",
        },
        "web_form.origin": {
            "zh": "这个网站不能提交此表单：请把它的地址加入表单的 origins。",
            "en": "That web site may not send this form: add its address to the form's origins.",
        },
        "web_form.agree": {"zh": "请先勾选同意。", "en": "Please agree to this first."},
        "web_form.often": {
            "zh": "提交过于频繁，请 {minutes} 分钟后再试；您填写的内容都在。",
            "en": "Too many were sent. Please try again in {minutes} minutes; all you entered is still here.",
        },
    }
)
