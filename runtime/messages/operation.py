"""What the operator is told: backups and the doctor."""

from __future__ import annotations

from runtime.messages import register

register(
    {
        "archive.outside": {
            "zh": "压缩包被拒绝：“{name}”指向压缩包之外。",
            "en": "The archive was refused: “{name}” leads outside of it.",
        },
        "archive.link": {"zh": "压缩包被拒绝：“{name}”是链接。", "en": "The archive was refused: “{name}” is a link."},
        "archive.twice": {
            "zh": "压缩包被拒绝：“{name}”出现了两次。",
            "en": "The archive was refused: “{name}” is in it twice.",
        },
        "archive.too_many": {
            "zh": "压缩包被拒绝：文件超过 {most} 个。",
            "en": "The archive was refused: it holds more than {most} files.",
        },
        "archive.too_big": {
            "zh": "压缩包被拒绝：“{name}”解压后过大。",
            "en": "The archive was refused: “{name}” unpacks to too much.",
        },
        "backup.damaged": {"zh": "备份或数据库已损坏。", "en": "The backup or the database is damaged."},
        "backup.not_one": {"zh": "{file} 不是 Octavo 备份文件。", "en": "{file} is not a backup of Octavo."},
        "backup.other_format": {
            "zh": "{file} 由其他版本的 Octavo 生成，无法读取。",
            "en": "{file} was made by another version of Octavo that this one cannot read.",
        },
        "backup.site_exists": {
            "zh": "{folder} 中已有站点；加 --yes 可替换（原文件夹会改名保留）。",
            "en": "There is a site in {folder}; --yes replaces it (the present one is kept, renamed).",
        },
        "backup.no_key": {
            "zh": "备份中有 {count} 个加密的值，而密钥不在备份中。用 --key-file 给出原站点的 secret_key；"
            "若已丢失，加 --new-key 放弃这些值。",
            "en": "The backup holds {count} sealed values and not the key to them. Give the secret_key of the site "
            "with --key-file; if it is lost, --new-key gives these values up.",
        },
        "backup.other_key": {
            "zh": "给出的 secret_key 不能打开备份中的 {count} 个加密的值。用 --key-file 给出原站点的 secret_key；"
            "若已丢失，加 --new-key 放弃这些值。",
            "en": "The secret_key at hand does not open the {count} sealed values of the backup. Give the right one "
            "with --key-file; if it is lost, --new-key gives these values up.",
        },
        "backup.other_database": {
            "zh": "备份来自 {backup}，站点使用 {site}；请用 OCTAVO_DATABASE_URL 指定一个 {backup} 数据库。",
            "en": "The backup is of {backup}, this site uses {site}; name a {backup} database in OCTAVO_DATABASE_URL.",
        },
        "rekey.nothing": {
            "zh": "没有正在进行的换钥；先运行 octavo rekey。",
            "en": "The site is not going over to a new key; run “octavo rekey” first.",
        },
        "rekey.environment": {
            "zh": "secret_key 来自环境变量：请把 OCTAVO_SECRET_KEY 设为新密钥、"
            "OCTAVO_SECRET_KEY_BEFORE 设为旧密钥，再运行一次。",
            "en": "The secret_key comes from the environment: set OCTAVO_SECRET_KEY to the new one and "
            "OCTAVO_SECRET_KEY_BEFORE to the one before, then run this again.",
        },
        "backup.no_program": {
            "zh": "找不到 {program}；请安装 postgresql-client。",
            "en": "{program} was not found; install the package postgresql-client.",
        },
        "backup.program_failed": {"zh": "{program} 失败：{reason}", "en": "{program} failed: {reason}"},
        "package.folder_not_empty": {
            "zh": "{folder} 不是空文件夹；请换一个名称。",
            "en": "{folder} is not empty; choose another name.",
        },
        "package.not_one": {
            "zh": "{file} 不是模板包（缺少 package.yaml）。",
            "en": "{file} is not a package: there is no package.yaml in it.",
        },
        "package.has_code": {
            "zh": "模板包 {name} 含有 Python 代码；代码包须由运维人员用 pip 安装。",
            "en": "The package {name} holds Python; code packages are installed by the operator with pip.",
        },
        "package.unknown": {"zh": "没有安装模板包“{name}”。", "en": "There is no installed package “{name}”."},
        "doctor.look.ok": {"zh": "{name}：正常", "en": "{name}: fine"},
        "doctor.look.bad": {"zh": "无法检查 {name}：{reason}", "en": "Could not look at {name}: {reason}"},
        "doctor.config_private.ok": {"zh": "config.yaml 仅所有者可读", "en": "config.yaml is private"},
        "doctor.config_private.bad": {
            "zh": "config.yaml 的权限是 {mode}，含有密钥；请执行 chmod 600 config.yaml",
            "en": "config.yaml holds the secret key and has mode {mode}; run chmod 600 config.yaml",
        },
        "doctor.database.ok": {
            "zh": "数据库 {database} 可用，版本 {version}",
            "en": "The {database} database answers, version {version}",
        },
        "doctor.database.bad": {"zh": "数据库不可用", "en": "The database does not answer"},
        "doctor.integrity.ok": {"zh": "数据库文件完整", "en": "The database file is whole"},
        "doctor.integrity.bad": {
            "zh": "数据库文件损坏：{reason}；请从备份恢复",
            "en": "The database file is damaged: {reason}; restore a backup",
        },
        "doctor.references.ok": {"zh": "引用完整", "en": "All references lead somewhere"},
        "doctor.references.bad": {"zh": "{count} 处引用的记录不存在", "en": "{count} references lead nowhere"},
        "doctor.compiles.ok": {"zh": "已发布的元数据没有错误", "en": "The published metadata has no errors"},
        "doctor.compiles.bad": {
            "zh": "已发布的元数据有 {count} 个错误；请运行 octavo check",
            "en": "The published metadata has {count} errors; run octavo check",
        },
        "doctor.schema.ok": {"zh": "数据表与已发布版本一致", "en": "The tables are those of the published version"},
        "doctor.schema.bad": {
            "zh": "数据表与已发布版本相差 {count} 步；请运行 octavo publish",
            "en": "The tables differ from the published version by {count} steps; run octavo publish",
        },
        "doctor.parked.ok": {"zh": "没有搁置的任务", "en": "No job is parked"},
        "doctor.parked.bad": {
            "zh": "{count} 个任务多次失败后搁置；请在任务列表中查看原因",
            "en": "{count} jobs are parked after failing; see why in the list of jobs",
        },
        "doctor.lag.ok": {"zh": "任务按时执行", "en": "Jobs run in time"},
        "doctor.lag.bad": {
            "zh": "最早的任务已逾期 {seconds} 秒；请确认 octavo serve 或 octavo worker 正在运行",
            "en": "The oldest job is {seconds} s overdue; is octavo serve or octavo worker running?",
        },
        "doctor.admins.ok": {"zh": "{count} 位管理员", "en": "{count} administrators"},
        "doctor.admins.bad": {
            "zh": "没有管理员；请运行 octavo user role LOGIN --add ROLE",
            "en": "Nobody is administrator; run octavo user role LOGIN --add ROLE",
        },
        "doctor.disk.ok": {"zh": "磁盘剩余 {free}", "en": "{free} of disk left"},
        "doctor.disk.bad": {"zh": "磁盘仅剩 {free}；请清理或扩容", "en": "Only {free} of disk left; make room"},
        "doctor.storage.ok": {"zh": "附件存储可用", "en": "The storage of files answers"},
        "doctor.storage.bad": {"zh": "附件存储不可用", "en": "The storage of files does not answer"},
        "doctor.audit.ok": {"zh": "审计记录未被改动", "en": "The audit was not touched"},
        "doctor.ledgers.ok": {
            "zh": "台账余额与分录之和一致",
            "en": "Ledgers stand at the sum of their entries",
        },
        "doctor.ledgers.bad": {
            "zh": "有 {count} 个台账余额与分录之和不符；请运行 octavo verify",
            "en": "{count} balances are not the sum of their entries; run octavo verify",
        },
        "doctor.compared.ok": {
            "zh": "汇总与公式值每晚核对，上次：{at}",
            "en": "Computed values are compared each night, last at {at}",
        },
        "doctor.compared.bad": {
            "zh": "汇总与公式值自 {at} 起未核对；请确认 octavo serve 或 octavo worker 正在运行",
            "en": "Computed values were not compared since {at}; is octavo serve or octavo worker running?",
        },
        "doctor.drift.ok": {
            "zh": "最近 {days} 天的核对没有偏差",
            "en": "Comparisons found no drift in the last {days} days",
        },
        "doctor.drift.bad": {
            "zh": "最近 {days} 天的核对发现并修正了偏差：{fields}；请将日志交给开发者",
            "en": "Comparisons of the last {days} days found and repaired drift: {fields}; give the log to a developer",
        },
        "doctor.audit.bad": {
            "zh": "审计记录有 {count} 处被改动；请运行 octavo verify",
            "en": "The audit was touched in {count} places; run octavo verify",
        },
    }
)
