"""Accounts and their articles"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("sub", sa.String(), primary_key=True),
        sa.Column("pen_name", sa.String(), nullable=False),
    )
    op.create_table(
        "article",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.String(20_000), nullable=False),
        sa.Column("author_sub", sa.String(), sa.ForeignKey("account.sub"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_article_author_sub", "article", ["author_sub"])


def downgrade() -> None:
    op.drop_table("article")
    op.drop_table("account")
