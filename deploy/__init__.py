"""How Dreamland runs elsewhere than on a developer's machine: the image's programs, and manifests.

Knows settings, queue and migrations, and nothing about ledgers, users or HTTP's meaning.
"""
