"""Writes the generated part of the demonstration data. Run by hand: python data/generate_demo.py

The same seed gives the same files. Dates are relative ("today-14"): the loader turns them into days of the present.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "demo"
CUSTOMERS, OPPORTUNITIES = 300, 120
Row = dict[str, Any]

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文斌志鹏宇浩晨欣怡佳琪子涵梓轩博雅思远海燕春梅雪峰立新晓东玉兰凯旋嘉诚"
CITIES = {
    "east": "上海 苏州 南京 无锡 常州 杭州 宁波 嘉兴 合肥 青岛 济南 厦门".split(),
    "south": "广州 深圳 东莞 佛山 珠海 中山 惠州 南宁".split(),
    "north": "北京 天津 石家庄 太原".split(),
    "central": "武汉 长沙 郑州 株洲".split(),
    "southwest": "成都 重庆 昆明 贵阳".split(),
    "northwest": "西安 兰州".split(),
    "northeast": "沈阳 大连 长春".split(),
}
AREA_CODES = {
    "上海": "021", "苏州": "0512", "南京": "025", "无锡": "0510", "常州": "0519", "杭州": "0571", "宁波": "0574",
    "嘉兴": "0573", "合肥": "0551", "青岛": "0532", "济南": "0531", "厦门": "0592", "广州": "020", "深圳": "0755",
    "东莞": "0769", "佛山": "0757", "珠海": "0756", "中山": "0760", "惠州": "0752", "南宁": "0771", "北京": "010",
    "天津": "022", "石家庄": "0311", "太原": "0351", "武汉": "027", "长沙": "0731", "郑州": "0371", "株洲": "0731",
    "成都": "028", "重庆": "023", "昆明": "0871", "贵阳": "0851", "西安": "029", "兰州": "0931", "沈阳": "024",
    "大连": "0411", "长春": "0431",
}  # fmt: skip
DIVISIONS = {
    "上海": "310000", "苏州": "320500", "南京": "320100", "无锡": "320200", "常州": "320400", "杭州": "330100",
    "宁波": "330200", "嘉兴": "330400", "合肥": "340100", "青岛": "370200", "济南": "370100", "厦门": "350200",
    "广州": "440100", "深圳": "440300", "东莞": "441900", "佛山": "440600", "珠海": "440400", "中山": "442000",
    "惠州": "441300", "南宁": "450100", "北京": "110000", "天津": "120000", "石家庄": "130100", "太原": "140100",
    "武汉": "420100", "长沙": "430100", "郑州": "410100", "株洲": "430200", "成都": "510100", "重庆": "500000",
    "昆明": "530100", "贵阳": "520100", "西安": "610100", "兰州": "620100", "沈阳": "210100", "大连": "210200",
    "长春": "220100",
}  # fmt: skip
BRAND_WORDS = "恒瑞 天成 华创 鼎盛 博远 金诺 中科 东方 联合 永泰 瑞丰 宏图 远航 新锐 德康 安信 智联 海川 润泽 嘉禾 长兴 明达 正泰 同创 启航 卓越 汇通 凯歌 佳美 盛世 晨光 蓝天 绿源 星辰 飞跃 力拓 伟业 益民 百川 九州".split()
TRADES = [
    ("C34", "精密机械"), ("C35", "自动化设备"), ("C36", "汽车零部件"), ("C38", "电气"), ("C39", "电子科技"),
    ("C33", "金属制品"), ("C27", "医药"), ("C26", "新材料"), ("C14", "食品"), ("C18", "服饰"), ("C40", "仪器仪表"),
    ("F51", "商贸"), ("F52", "百货"), ("G54", "物流"), ("I65", "软件"), ("I64", "网络科技"), ("E47", "建设工程"),
    ("L72", "企业管理咨询"), ("M74", "检测技术"), ("P83", "教育科技"), ("Q84", "医疗"), ("N77", "环保科技"),
    ("D44", "新能源"), ("K70", "置业"),
]  # fmt: skip
TITLES = [
    "总经理",
    "副总经理",
    "采购经理",
    "信息部经理",
    "生产总监",
    "技术总监",
    "财务经理",
    "设备主管",
    "行政主管",
    "项目经理",
]
DEPARTMENTS = ["总经办", "采购部", "信息部", "生产部", "技术部", "财务部", "设备部", "行政部"]
REPS = {"east": ["zhangsan", "lisi", "zhaoliu", "sunqi"], "south": ["chenwu", "huangba"]}
UNITS = {"zhangsan": "E1", "lisi": "E1", "zhaoliu": "E2", "sunqi": "E2", "chenwu": "S1", "huangba": "S1"}
SOURCES = ["website", "exhibition", "campaign", "referral", "phone", "visit", "partner", "media", "list"]
PRODUCTS = [
    # type, series, brand, name, model, unit, price, cost
    ("RJ", "XA", "星海", "软件许可 A", "XA-STD", "licence", 120, 80),
    ("RJ", "XA", "星海", "制造执行系统 标准版", "MES-S", "set", 180000, 72000),
    ("RJ", "XA", "星海", "制造执行系统 专业版", "MES-P", "set", 360000, 130000),
    ("RJ", "XA", "星海", "制造执行系统 集团版", "MES-G", "set", 880000, 310000),
    ("RJ", "XA", "星海", "高级排程 APS", "APS", "set", 260000, 98000),
    ("RJ", "XA", "星海", "质量管理 QMS", "QMS", "set", 150000, 52000),
    ("RJ", "XA", "星海", "仓储管理 WMS", "WMS", "set", 160000, 58000),
    ("RJ", "XB", "星海", "汽车零部件行业包", "XB-AUTO", "set", 80000, 26000),
    ("RJ", "XB", "星海", "医药行业包", "XB-MED", "set", 90000, 30000),
    ("RJ", "XB", "星海", "食品追溯行业包", "XB-FOOD", "set", 70000, 22000),
    ("RJ", "YA", "云帆", "设备远程监控", "YA-MON", "year", 36000, 9000),
    ("RJ", "YA", "云帆", "预测性维护", "YA-PDM", "year", 58000, 15000),
    ("RJ", "YA", "云帆", "能耗管理", "YA-EMS", "year", 42000, 11000),
    ("RJ", "YA", "云帆", "移动巡检", "YA-INS", "year", 18000, 4000),
    ("YJ", "TS", "启明", "台式机 商用型", "T-100", "device", 4200, 3300),
    ("YJ", "TS", "启明", "台式机 工控型", "T-200", "device", 6800, 5100),
    ("YJ", "TS", "启明", "工业平板", "T-300", "device", 5600, 4000),
    ("YJ", "TS", "启明", "触摸一体机", "T-400", "device", 7900, 5900),
    ("YJ", "TS", "启明", "服务器 双路", "T-900", "device", 46000, 35000),
    ("YJ", "CJ", "启明", "采集网关 8 路", "C-8", "device", 3200, 1800),
    ("YJ", "CJ", "启明", "采集网关 16 路", "C-16", "device", 4800, 2700),
    ("YJ", "CJ", "启明", "振动传感器", "C-V1", "piece", 680, 320),
    ("YJ", "CJ", "启明", "温湿度传感器", "C-T1", "piece", 260, 110),
    ("YJ", "CJ", "启明", "扫码枪", "C-S1", "piece", 980, 560),
    ("YJ", "CJ", "启明", "工业读写器", "C-R1", "piece", 2400, 1450),
    ("YJ", "WL", "启明", "工业交换机 8 口", "W-8", "device", 1900, 1200),
    ("YJ", "WL", "启明", "工业交换机 24 口", "W-24", "device", 5200, 3600),
    ("YJ", "WL", "启明", "无线接入点", "W-AP", "device", 1600, 980),
    ("FW", "SS", None, "实施顾问", "S-CON", "person_day", 2500, 1300),
    ("FW", "SS", None, "高级顾问", "S-SEN", "person_day", 3800, 2000),
    ("FW", "SS", None, "二次开发", "S-DEV", "person_day", 2800, 1500),
    ("FW", "SS", None, "数据迁移", "S-MIG", "person_day", 2200, 1200),
    ("FW", "WB", None, "标准维保", "B-STD", "year", 30000, 12000),
    ("FW", "WB", None, "金牌维保", "B-GOLD", "year", 68000, 28000),
    ("FW", "WB", None, "驻场服务", "B-SITE", "person_day", 1800, 1000),
    ("FW", "PX", None, "管理员培训", "P-ADM", "person_day", 3000, 1200),
    ("FW", "PX", None, "操作员培训", "P-OPR", "person_day", 1500, 700),
    ("FZ", "GZ", "云帆", "防静电工装 夹克", "G-J", "piece", 168, 92),
    ("FZ", "GZ", "云帆", "防静电工装 大褂", "G-D", "piece", 128, 68),
    ("FZ", "GZ", "云帆", "安全鞋", "G-X", "piece", 230, 130),
]  # fmt: skip
STAGES = [
    ("initial", 24),
    ("need", 22),
    ("proposal", 18),
    ("negotiation", 12),
    ("closing", 8),
    ("won", 24),
    ("lost", 12),
]
SUBJECTS = {
    "phone": ["电话回访", "确认需求范围", "预约拜访", "跟进报价", "了解采购计划"],
    "visit": ["上门拜访", "现场调研", "高层拜访", "车间参观"],
    "email": ["发送方案", "发送产品资料", "回复技术问题", "会议纪要"],
    "wechat": ["微信沟通", "发送案例", "节日问候", "确认到货"],
    "meeting": ["需求研讨会", "产品演示会", "方案评审会", "商务谈判"],
}
CONTENTS = [
    "客户对方案基本认可，关注实施周期。",
    "预算已列入明年计划，需要再确认金额。",
    "技术负责人提出三点接口要求，已记录。",
    "客户正在比较两家供应商，价格敏感。",
    "约定下周提交正式报价。",
    "领导出差，改期再约。",
    "现有系统老旧，替换意愿强。",
    "对远程运维很感兴趣，希望看演示。",
]
RESULTS = ["positive", "follow_up", "follow_up", "neutral", "rejected", "unreachable"]
PURPOSES = ["introduction", "need", "demo", "proposal", "negotiation", "service", "care"]
TASKS = [
    "提交方案",
    "回访客户",
    "准备演示环境",
    "整理会议纪要",
    "发送报价",
    "确认合同条款",
    "安排现场调研",
    "更新需求清单",
]


@dataclass
class Demo:
    random: random.Random = field(default_factory=lambda: random.Random(2026))
    people: dict[str, list[str]] = field(default_factory=dict)  # customer -> its contacts

    def person(self) -> str:
        given = "".join(self.random.sample(GIVEN, self.random.choice([1, 2, 2])))
        return self.random.choice(SURNAMES) + given

    def mobile(self) -> str:
        return self.random.choice(["138", "139", "136", "137", "158", "159", "186", "187", "177"]) + self.digits(8)

    def landline(self, city: str) -> str:
        first = "6" if AREA_CODES[city] != "010" else "8"
        return f"{AREA_CODES[city]}-{first}{self.digits(7)}"

    def digits(self, count: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def uscc(self, division: str) -> str:
        """A unified social credit code with the check digit of GB 32100-2015."""
        alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        body = "91" + division + "".join(self.random.choice(alphabet) for _ in range(9))
        total = sum(alphabet.index(char) * pow(3, place, 31) for place, char in enumerate(body))
        return body + alphabet[(31 - total % 31) % 31]

    def products(self) -> list[Row]:
        rows = []
        for number, (kind, series, brand, name, model, measure, price, cost) in enumerate(PRODUCTS):
            row: Row = {"name": name, "type": {"code": kind}, "series": {"code": series}, "model": model}
            row |= {"measure": measure, "list_price": price, "cost": cost, "min_price": round(price * 0.8, 2)}
            row |= {"status": "on_sale", "lead_days": self.random.choice([3, 5, 10, 20])}
            if brand:
                row["brand"] = {"name": brand}
            if kind == "YJ":
                row |= {"weight_kg": self.random.choice([0.2, 0.5, 1.2, 3.5, 8.0]), "warranty_months": 24}
                row["packs"] = [{"name": "箱", "factor": 12 if price < 3000 else 4}]
            if kind == "RJ":
                row["licence"] = "subscription" if series == "YA" else "perpetual"
            if kind == "FZ":
                row |= {"size": "l", "colour_name": "蓝", "min_quantity": 10, "quantity_multiple": 5}
            if number in (14, 15, 16):
                row["offers"] = [{"unit": {"code": "E"}, "enabled": True}]
            if number == 39:
                row["status"] = "draft"
            rows.append(row)
        return rows

    def customers(self) -> list[Row]:
        rows, seen = fixed_customers(), {"零件制造有限公司"}
        while len(rows) < CUSTOMERS:
            region = self.random.choices(list(CITIES), [40, 26, 10, 8, 8, 4, 4])[0]
            city = self.random.choice(CITIES[region])
            word = self.random.choice(BRAND_WORDS)
            industry, trade = self.random.choice(TRADES)
            if self.random.random() < 0.06:
                rows.append(self.private_person(region))
                continue
            name = f"{city}{word}{trade}{self.random.choice(['有限公司', '有限公司', '股份有限公司', '集团有限公司'])}"
            if name not in seen:
                seen.add(name)
                rows.append(self.company(name, word + trade, region, city, industry))
        return rows

    def company(self, name: str, short: str, region: str, city: str, industry: str) -> Row:
        age = self.random.randint(3, 420)
        stage = self.random.choices(["potential", "qualified", "new", "repeat", "advocate"], [40, 22, 18, 16, 4])[0]
        scale, employees = self.random.choice(
            [("under_50", 30), ("from_50", 120), ("from_200", 320), ("from_500", 800), ("over_1000", 2600)]
        )
        division = DIVISIONS[city]
        row: Row = {
            "name": name,
            "short_name": short,
            "kind": "company",
            "type": self.random.choices(["regular", "vip", "key", "agent"], [76, 12, 8, 4])[0],
            "industry": {"code": industry},
            "region": {"code": region},
            "scale": scale,
            "employees": employees + self.random.randint(0, 40),
            "source": self.random.choice(SOURCES),
            "phone": self.landline(city),
            "website": f"https://www.{self.digits(6)}.example.com",
            "stage": stage,
            "qualification": "qualified"
            if stage != "potential"
            else self.random.choice(["pending"] * 4 + ["unqualified"]),
            "uscc": self.uscc(division),
            "legal_rep": self.person(),
            "registered_capital": self.random.choice([100, 500, 1000, 5000, 10000]) * 10000,
            "founded_on": f"{self.random.randint(1992, 2023)}-{self.random.randint(1, 12):02d}-{self.random.randint(1, 28):02d}",
            "legal_status": "operating",
            "annual_revenue": self.random.choice([300, 800, 1200, 3500, 9000, 26000]) * 10000,
            "credit_limit": self.random.choice([5, 10, 20, 50]) * 10000,
            "payment_days": self.random.choice([0, 30, 30, 60, 90]),
            "created_at": f"today-{age} 09:{self.random.randint(10, 59)}",
            "addresses": [self.address(division)],
        }
        row |= self.ownership(region)
        if stage in ("potential", "qualified"):
            row |= {
                "expected_amount": self.random.randint(5, 120) * 10000,
                "expected_close": f"today+{self.random.randint(10, 160)}",
            }
        if self.random.random() < 0.05:
            row |= {
                "status": "abandoned",
                "status_reason": self.random.choice(["无需求", "价格", "失联", "选择竞品"]),
                "recontact_on": "today+90",
            }
        if self.random.random() < 0.4:
            row["interests"] = self.interests()
        if row.get("owner") and stage in ("new", "repeat", "advocate") and self.random.random() < 0.6:
            row["members"] = [{"person": row["owner"], "role": "account", "access": "write", "primary": False}]
        return row

    def private_person(self, region: str) -> Row:
        row: Row = {"name": self.person(), "kind": "person", "phone": self.mobile(), "region": {"code": region}}
        row |= {
            "gender": self.random.choice(["male", "female"]),
            "stage": "potential",
            "source": self.random.choice(SOURCES),
        }
        row |= {
            "birthday": f"{self.random.randint(1965, 2002)}-{self.random.randint(1, 12):02d}-{self.random.randint(1, 28):02d}"
        }
        row |= {
            "education": self.random.choice(["college", "bachelor", "master"]),
            "created_at": f"today-{self.random.randint(3, 300)} 14:20",
        }
        return row | self.ownership(region)

    def ownership(self, region: str) -> Row:
        owner = self.random.choice(REPS.get(region) or [*REPS["east"], *REPS["south"]])
        if self.random.random() < 0.07:
            return {"owner": None, "unit": {"code": UNITS[owner][0]}}
        return {"owner": {"login": owner}, "unit": {"code": UNITS[owner]}}

    def address(self, division: str) -> Row:
        city = division if division.endswith("100") or division[4:] == "00" and division[2:4] != "00" else None
        row: Row = {"purposes": ["general", "shipping"], "province": {"code": division[:2] + "0000"}, "preferred": True}
        if city and division[2:4] != "00":
            row["city"] = {"code": division}
        street = self.random.choice(["人民路", "科技大道", "工业园一路", "建设路", "创新大街", "中山路", "高新路"])
        return row | {"street": f"{street}{self.random.randint(1, 999)}号"}

    def interests(self) -> list[Row]:
        series = {"target": "series", "series": {"code": self.random.choice(["XA", "YA", "CJ", "TS"])}}
        need = {"target": "need", "topic": self.random.choice(["cost", "remote", "quality", "digital", "compliance"])}
        level = self.random.choice(["high", "medium", "low"])
        return [row | {"level": level} for row in self.random.sample([series, need], self.random.randint(1, 2))]

    def contacts(self, customers: list[Row]) -> list[Row]:
        rows = fixed_contacts()
        for row in rows:
            self.people.setdefault(row["customer"]["name"], []).append(row["name"])
        for customer in customers:
            if customer["kind"] == "person" or customer["name"] in self.people:
                continue
            for number in range(self.random.choice([1, 1, 2, 2, 3])):
                name = self.person()
                if name in self.people.get(customer["name"], []):
                    continue
                self.people.setdefault(customer["name"], []).append(name)
                row: Row = {
                    "name": name,
                    "customer": {"name": customer["name"]},
                    "job_title": self.random.choice(TITLES),
                }
                row |= {"department": self.random.choice(DEPARTMENTS), "mobile": self.mobile(), "main": number == 0}
                row["decision_role"] = self.random.choice(
                    ["decision", "influencer", "end_user", "purchasing", "gatekeeper"]
                )
                row["email"] = f"c{self.digits(5)}@example.com"
                row["created_at"] = customer["created_at"]
                rows.append(row | {"owner": customer["owner"]})
        return rows

    def opportunities(self, customers: list[Row]) -> list[Row]:
        candidates = [c for c in customers if c.get("owner") and c.get("status") is None and c["kind"] == "company"]
        stages = [stage for stage, count in STAGES for _ in range(count)]
        self.random.shuffle(stages)
        rows = fixed_opportunities()
        while len(rows) < OPPORTUNITIES:
            rows.append(self.opportunity(self.random.choice(candidates), stages[len(rows)], len(rows)))
        return rows

    def opportunity(self, customer: Row, stage: str, number: int) -> Row:
        age = min(self.random.randint(5, 240), int(customer["created_at"].split("-")[1].split(" ")[0]))
        closed = stage in ("won", "lost")
        chosen = self.random.sample(PRODUCTS[:37], self.random.randint(1, 4))
        lines = [self.line(product) for product in chosen]
        total = sum(line["quantity"] * line["price"] * (100 - line["discount"]) / 100 for line in lines)
        row: Row = {
            "name": f"{customer['short_name']}{chosen[0][3]}项目 {number:03d}",
            "customer": {"name": customer["name"]},
            "owner": customer["owner"],
            "unit": customer["unit"],
            "stage": stage,
            "priority": self.random.choice(["high", "medium", "medium", "low"]),
            "est_cost": round(total * self.random.uniform(0.45, 0.75), 2),
            "expense": round(total * self.random.uniform(0.01, 0.05), 2),
            "source": customer.get("source"),
            "lines": lines,
            "created_at": f"today-{age} 10:{self.random.randint(10, 59)}",
            "expected_close": f"today-{self.random.randint(0, age)}"
            if closed
            else f"today{self.random.randint(-12, 150):+d}",
        }
        if closed:
            row["closed_on"] = row["expected_close"]
        if stage == "lost":
            row |= {"lost_reason": self.random.choice(["price", "competitor", "no_budget", "no_need", "product"])}
            row["lost_to"] = {"name": self.random.choice(["竞品甲软件", "竞品乙科技", "竞品丙自动化"])}
        if self.random.random() < 0.3:
            row["competitors"] = [
                {
                    "competitor": {"name": "竞品甲软件"},
                    "threat": "high",
                    "price": round(total * 0.95, 2),
                    "strategy": "突出行业经验与服务响应",
                }
            ]
        people = self.people.get(customer["name"], [])
        if people and self.random.random() < 0.6:
            contact = {"name": people[0], "customer": {"name": customer["name"]}}
            row["influencers"] = [
                {
                    "contact": contact,
                    "attitude": self.random.choice(["support", "neutral"]),
                    "power": self.random.randint(2, 5),
                }
            ]
        return row

    def line(self, product: tuple[Any, ...]) -> Row:
        price = product[6]
        most = 3 if price > 20000 else 20 if price > 2000 else 100
        discount = self.random.choice([0, 0, 0, 5, 8, 10])
        return {
            "product": {"model": product[4]},
            "quantity": self.random.randint(1, most),
            "price": price,
            "discount": discount,
        }

    def communications(self, customers: list[Row], opportunities: list[Row]) -> list[Row]:
        deals: dict[str, list[str]] = {}
        for deal in opportunities:
            deals.setdefault(deal["customer"]["name"], []).append(deal["name"])
        rows = fixed_communications()
        for customer in customers:
            if not customer.get("owner") or self.random.random() < 0.15:
                continue
            age = int(customer["created_at"].split("-")[1].split(" ")[0])
            busy = 6 if customer["name"] in deals else 3
            for _ in range(self.random.randint(0, busy)):
                rows.append(self.communication(customer, deals.get(customer["name"], []), age))
        return rows

    def communication(self, customer: Row, deals: list[str], age: int) -> Row:
        kind = self.random.choices(["phone", "visit", "email", "wechat", "meeting"], [36, 18, 16, 20, 10])[0]
        at = f"today-{self.random.randint(0, age)} {self.random.randint(9, 17):02d}:{self.random.choice(['00', '15', '30', '45'])}"
        if at.startswith("today-0 "):
            at = "today 09:00"
        row: Row = {"kind": kind, "at": at, "subject": self.random.choice(SUBJECTS[kind]), "owner": customer["owner"]}
        row |= {
            "customer": {"name": customer["name"]},
            "content": self.random.choice(CONTENTS),
            "result": self.random.choice(RESULTS),
        }
        row |= {"purpose": self.random.choice(PURPOSES), "minutes": self.random.choice([5, 10, 15, 30, 60, 90])}
        people = self.people.get(customer["name"])
        if people:
            row["contact"] = {"name": self.random.choice(people), "customer": {"name": customer["name"]}}
        if deals and self.random.random() < 0.6:
            row["opportunity"] = {"name": self.random.choice(deals)}
        return row

    def tasks(self, customers: list[Row], opportunities: list[Row]) -> list[Row]:
        rows = fixed_tasks()
        for deal in opportunities:
            if deal["stage"] not in ("won", "lost") and self.random.random() < 0.75:
                rows.append(
                    self.task(deal["owner"], {"opportunity": {"name": deal["name"]}, "customer": deal["customer"]})
                )
        for customer in customers:
            if customer.get("owner") and self.random.random() < 0.5:
                rows.append(self.task(customer["owner"], {"customer": {"name": customer["name"]}}))
        return rows

    def task(self, owner: Row, about: Row) -> Row:
        day = self.random.randint(-20, 30)
        status = (
            self.random.choice(["done", "done", "todo"]) if day < -2 else self.random.choice(["todo", "todo", "doing"])
        )
        row: Row = {
            "subject": self.random.choice(TASKS),
            "due_at": f"today{day:+d} {self.random.randint(9, 18):02d}:00",
        }
        row |= {
            "status": status,
            "priority": self.random.choice(["high", "medium", "medium", "low"]),
            "assignee": owner,
        }
        row["progress"] = 100 if status == "done" else 50 if status == "doing" else 0
        return row | about

    def leads(self) -> list[Row]:
        rows = []
        for number in range(40):
            region = self.random.choice(list(CITIES))
            city = self.random.choice(CITIES[region])
            industry, trade = self.random.choice(TRADES)
            owner = self.random.choice([*REPS["east"], *REPS["south"]])
            row: Row = {"company": f"{city}{self.random.choice(BRAND_WORDS)}{trade}有限公司", "name": self.person()}
            row |= {"phone": self.mobile(), "industry": {"code": industry}, "region": {"code": region}}
            row |= {"source": self.random.choice(["website", "exhibition", "campaign", "media"]), "consent": True}
            row |= {"message": self.random.choice(["想了解产品报价", "请安排演示", "需要方案资料", "咨询远程运维"])}
            row |= {
                "owner": None if number % 4 == 0 else {"login": owner},
                "created_at": f"today-{self.random.randint(0, 60)} 11:30",
            }
            row["status"] = self.random.choice(["new", "new", "working", "working", "invalid"])
            if row["status"] == "invalid":
                row["invalid_reason"] = "号码无法接通"
            if row["source"] == "website":
                row |= {"utm_source": "baidu", "utm_medium": "cpc", "utm_campaign": "mes-spring"}
            rows.append(row)
        return rows


def fixed_customers() -> list[Row]:
    """The customers that the manuals and the pictures speak of."""
    east: Row = {"kind": "company", "region": {"code": "east"}, "owner": {"login": "zhangsan"}, "unit": {"code": "E1"}}
    main: Row = east | {
        "name": "零件制造有限公司", "short_name": "零件制造", "industry": {"code": "C34"}, "scale": "from_200", "employees": 360,
        "type": "key", "source": "exhibition", "stage": "repeat", "qualification": "qualified", "phone": "021-62345678",
        "annual_revenue": 12000000, "registered_capital": 5000000, "uscc": "91310000MA1K8888XD", "legal_rep": "赵建国",
        "brand_group": {"name": "星海"}, "created_at": "today-400 09:30",
        "interests": [{"target": "series", "series": {"code": "XA"}, "level": "high"}, {"target": "need", "topic": "cost", "level": "high"}, {"target": "need", "topic": "remote", "level": "medium"}],
        "members": [{"person": {"login": "zhangsan"}, "role": "sales", "access": "write", "primary": True, "share": 70}, {"person": {"login": "lisi"}, "role": "account", "access": "write", "share": 30}, {"person": {"login": "cs"}, "role": "service", "access": "read"}],
        "addresses": [{"purposes": ["general", "shipping"], "province": {"code": "310000"}, "city": {"code": "310100"}, "district": {"code": "310115"}, "street": "张江路 88 号", "postcode": "201203", "receiver": "孙收货", "preferred": True}],
    }  # fmt: skip
    second = east | {
        "name": "零件制造（昆山）有限公司",
        "short_name": "零件昆山",
        "industry": {"code": "C34"},
        "parent": {"name": main["name"]},
        "annual_revenue": 5000000,
        "stage": "new",
        "qualification": "qualified",
        "source": "referral",
        "created_at": "today-300 10:00",
    }
    third = east | {
        "name": "零件制造昆山模具分厂",
        "short_name": "零件模具",
        "industry": {"code": "C35"},
        "parent": {"name": second["name"]},
        "annual_revenue": 1800000,
        "stage": "potential",
        "source": "referral",
        "created_at": "today-120 10:00",
    }
    black = east | {
        "name": "黑名单贸易有限公司",
        "short_name": "黑名单贸易",
        "industry": {"code": "F51"},
        "status": "blacklisted",
        "status_reason": "恶意拖欠货款",
        "stage": "new",
        "created_at": "today-380 15:00",
        "source": "list",
    }
    supplier = east | {
        "name": "星海配件有限公司",
        "short_name": "星海配件",
        "industry": {"code": "C33"},
        "roles": ["customer", "supplier"],
        "brand_group": {"name": "星海"},
        "stage": "new",
        "qualification": "qualified",
        "source": "partner",
        "created_at": "today-250 09:00",
    }
    return [main, second, third, black, supplier]


def fixed_contacts() -> list[Row]:
    company = {"name": "零件制造有限公司"}
    base: Row = {"customer": company, "owner": {"login": "zhangsan"}, "created_at": "today-390 09:40"}
    return [
        base | {"name": "赵建国", "job_title": "总经理", "department": "总经办", "decision_role": "decision", "mobile": "+86 139-1234-5678", "email": "zhao@example.com", "main": True, "purposes": [{"purpose": "payment", "preferred": True}], "points": [{"kind": "mobile", "phone": "13912345678", "primary": True}, {"kind": "wechat", "account": "zhao_jianguo"}]},
        base | {"name": "孙丽", "job_title": "物流主管", "department": "采购部", "decision_role": "purchasing", "mobile": "13812345678", "reports_to": {"name": "赵建国", "customer": company}, "purposes": [{"purpose": "shipping", "preferred": True}]},
        base | {"name": "钱进", "job_title": "信息部经理", "department": "信息部", "decision_role": "end_user", "mobile": "13612345678", "reports_to": {"name": "赵建国", "customer": company}},
    ]  # fmt: skip


def fixed_opportunities() -> list[Row]:
    company = {"name": "零件制造有限公司"}
    base: Row = {"customer": company, "owner": {"login": "zhangsan"}, "unit": {"code": "E1"}, "source": "exhibition"}
    return [
        base | {
            "name": "MMS 系统采购商机", "stage": "closing", "confidence_override": 99, "manual_amount": 1235000, "est_cost": 800000, "expense": 35000,
            "priority": "high", "management_priority": "high", "expected_close": "today+15", "created_at": "today-45 10:00",
            "description": "集团制造管理系统选型，含三个工厂。",
            "competitors": [{"competitor": {"name": "竞品甲软件"}, "price": 1380000, "threat": "high", "strengths": "品牌", "weaknesses": "价格高", "strategy": "强调交付周期"}, {"competitor": {"name": "竞品乙科技"}, "price": 980000, "threat": "medium", "strengths": "价格低", "weaknesses": "功能弱"}, {"competitor": {"name": "竞品丙自动化"}, "price": 1260000, "threat": "low", "strengths": "硬件一体", "weaknesses": "服务网点少"}],
            "propositions": [{"pain": "计划排产靠手工", "solution": "高级排程", "effect": "交期缩短 20%", "benefit": 600000}, {"pain": "设备停机多", "solution": "远程运维", "effect": "停机减少 30%", "benefit": 450000}],
            "influencers": [{"contact": {"name": "赵建国", "customer": company}, "attitude": "support", "power": 5, "relationship_owner": {"login": "zhangsan"}}, {"contact": {"name": "钱进", "customer": company}, "attitude": "neutral", "power": 3}],
            "strengths": [{"factor": "行业经验", "weight": 5, "our_score": 85, "competitor": {"name": "竞品甲软件"}, "rival_score": 65}, {"factor": "实施能力", "weight": 3, "our_score": 80, "competitor": {"name": "竞品甲软件"}, "rival_score": 65}, {"factor": "价格", "weight": 2, "our_score": 58, "competitor": {"name": "竞品甲软件"}, "rival_score": 65}],
            "members": [{"person": {"login": "zhangsan"}, "role": "sales", "share": 70}, {"person": {"login": "lisi"}, "role": "account", "share": 30}],
        },
        base | {"name": "车间采集终端一期", "stage": "won", "priority": "medium", "expected_close": "today-60", "closed_on": "today-60", "created_at": "today-150 10:00", "est_cost": 60000, "lines": [{"product": {"model": "C-16"}, "quantity": 20, "price": 4800, "discount": 5}, {"product": {"model": "S-CON"}, "quantity": 6, "price": 2500, "discount": 0}]},
        base | {"name": "远程运维试点", "stage": "need", "priority": "low", "expected_close": "today+70", "created_at": "today-20 10:00", "lines": [{"product": {"model": "YA-MON"}, "quantity": 1, "price": 36000, "discount": 0}]},
    ]  # fmt: skip


def fixed_communications() -> list[Row]:
    company = {"name": "零件制造有限公司"}
    base: Row = {"customer": company, "owner": {"login": "zhangsan"}}
    deal = {"opportunity": {"name": "MMS 系统采购商机"}}
    return [
        base | deal | {"kind": "visit", "at": "today-3 14:00", "subject": "高层拜访", "purpose": "negotiation", "result": "positive", "minutes": 90, "content": "赵总同意本月内定标，关注付款方式。", "contact": {"name": "赵建国", "customer": company}, "next_action": "提交最终报价", "next_at": "today+2 10:00"},
        base | deal | {"kind": "meeting", "at": "today-12 09:30", "subject": "方案评审会", "purpose": "proposal", "result": "follow_up", "minutes": 120, "content": "三家供应商现场讲标。"},
        base | {"kind": "wechat", "at": "today-1 16:20", "subject": "发送案例", "purpose": "care", "result": "neutral", "content": "发送同行业案例两份。"},
        base | {"kind": "email", "at": "today-30 11:00", "subject": "产品资料", "purpose": "introduction", "result": "neutral", "content": "系列X 白皮书。"},
    ]  # fmt: skip


def fixed_tasks() -> list[Row]:
    about: Row = {
        "customer": {"name": "零件制造有限公司"},
        "opportunity": {"name": "MMS 系统采购商机"},
        "assignee": {"login": "zhangsan"},
    }
    return [
        about | {"subject": "提交最终报价", "due_at": "today+2 10:00", "priority": "high", "status": "todo"},
        about
        | {"subject": "确认付款方式", "due_at": "today 17:00", "priority": "medium", "status": "doing", "progress": 50},
    ]


def scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    plain = (
        text
        and not set(text) & set(":#,[]{}&*!|>'\"%@`+")
        and text == text.strip()
        and not text[0].isdigit()
        and text[0] not in "-=?"
    )
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def write(file: str, entity: str, rows: list[Row], note: str = "Written by generate_demo.py") -> None:
    lines = [f"# {note}", f"records: {entity}", "rows:", *(f"  - {flow(row)}" for row in rows)]
    (HERE / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{file}: {len(rows)}")


def main() -> None:
    demo = Demo()
    customers = demo.customers()
    contacts = demo.contacts(customers)
    opportunities = demo.opportunities(customers)
    write("30_product.yaml", "product", demo.products())
    write("35_brand_group.yaml", "brand_group", [{"name": "星海", "owner": {"login": "zhangsan"}}])
    write("40_customer.yaml", "customer", customers)
    write("41_customer_relation.yaml", "customer_relation", [
        {"customer": {"name": "零件制造有限公司"}, "kind": {"name": "关联企业"}, "other": {"name": "黑名单贸易有限公司"}},
        {"customer": {"name": "零件制造有限公司"}, "kind": {"name": "供货方"}, "other": {"name": "星海配件有限公司"}},
    ])  # fmt: skip
    write("50_contact.yaml", "contact", contacts)
    write("60_lead.yaml", "lead", demo.leads())
    write("70_opportunity.yaml", "opportunity", opportunities)
    write("80_communication.yaml", "communication", demo.communications(customers, opportunities))
    write("90_task.yaml", "task", demo.tasks(customers, opportunities))


if __name__ == "__main__":
    main()
